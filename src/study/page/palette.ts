/** Colours of the pages, for light and dark. Names stand for them in chart options and in the style sheet. */

/** Shades that tell apart for all kinds of colour vision (Okabe and Ito, "Color Universal Design", 2008), with contrast 3:1. */
const LIGHT = {
  page: '#ffffff',
  panel: '#f6f7f9',
  ink: '#1b1f24',
  muted: '#57606a',
  grid: '#d8dee4',
  sync: '#0072b2',
  'per-shard': '#c44e00',
  hogwild: '#007a5a',
  local: '#a8417f',
};

const DARK: Record<ColourName, string> = {
  page: '#12161b',
  panel: '#1a2027',
  ink: '#e8ecf1',
  muted: '#a3adb8',
  grid: '#353e48',
  sync: '#56b4e9',
  'per-shard': '#f0954a',
  hogwild: '#3ecf9f',
  local: '#e699c4',
};

export type ColourName = keyof typeof LIGHT;

export const PALETTES: Record<'light' | 'dark', Record<ColourName, string>> = { light: LIGHT, dark: DARK };

/** What stands for a colour in the options of a chart. The page puts the colour of its theme there. */
export function colour(name: ColourName): string {
  return `@${name}`;
}

/** Dark blue to yellow (viridis: van der Walt and Smith, 2015), the same on light and dark pages. */
export const HEAT = ['#440154', '#414487', '#2a788e', '#22a884', '#7ad151', '#fde725'];

/** Black or white, whichever is read better on the shade at `share` of the way through `HEAT`. */
export function inkOnHeat(share: number): string {
  return share > 0.55 ? '#000000' : '#ffffff';
}
