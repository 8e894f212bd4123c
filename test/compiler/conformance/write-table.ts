/** `npm run docs:layers`: writes the table of layers into docs/layers.md. */
import { readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { cases } from './cases/index.js';
import { checkCase, type Finding, trainedCases } from './check-case.js';
import { layerTable } from './table.js';

const PAGE = new URL('../../../docs/layers.md', import.meta.url);
const TABLE = /(<!-- table: begin[^>]*-->\n)[\s\S]*(\n<!-- table: end -->)/;

await tf.setBackend('cpu');
const trained = trainedCases(cases);
const findings: Finding[] = [];
for (const layerCase of cases) findings.push(await checkCase(layerCase, trained.has(layerCase)));
const page = await readFile(PAGE, 'utf8');
await writeFile(
  PAGE,
  page.replace(TABLE, (_, begin, end) => `${begin}\n${layerTable(findings)}\n${end}`),
);
console.log(`${findings.length} cases written to docs/layers.md`);
