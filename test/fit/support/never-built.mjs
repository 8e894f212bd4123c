/** A module of a model that never comes. */
export const build = () => new Promise(() => {});
