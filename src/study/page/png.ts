import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Installed, regular and bold: a machine may have no font, or another one. */
const FONTS = [400, 700].map((weight) => `@fontsource/lato/files/lato-latin-${weight}-normal.woff2`);

type Draw = (svg: string, scale: number) => Uint8Array;

let loading: Promise<Draw> | undefined;

/**
 * The picture of an SVG file as the bytes of a PNG file, `scale` pixels for each of the SVG's. Text is drawn in Lato, whatever the
 * SVG names, in Latin letters only. Nothing is fetched: the renderer (resvg as WebAssembly) and the font are installed packages.
 */
export async function renderPng(svg: string, scale: number): Promise<Uint8Array> {
  // Once a process, and only where it is needed: it is 2.5 MB, and refuses to be initialized again.
  loading ??= load();
  return (await loading)(svg, scale);
}

async function load(): Promise<Draw> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  await initWasm(readInstalled('@resvg/resvg-wasm/index_bg.wasm'));
  const fontBuffers = await Promise.all(FONTS.map(readInstalled));
  return (svg, scale) => {
    const font = { fontBuffers, defaultFontFamily: 'Lato', sansSerifFamily: 'Lato' };
    const picture = new Resvg(svg, { fitTo: { mode: 'zoom', value: scale }, font });
    const image = picture.render();
    try {
      return image.asPng();
    } finally {
      image.free();
      picture.free();
    }
  };
}

async function readInstalled(file: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(createRequire(import.meta.url).resolve(file)));
}
