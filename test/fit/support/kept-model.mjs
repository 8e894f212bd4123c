/** A module that has one model and gives it again and again. */
import { build as make } from './reading-model.mjs';

const model = make();

export const build = () => model;
