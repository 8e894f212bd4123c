/** Where `--out` and its like write: through links, pipes and devices, and never over what the command reads. */
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../data/temporary-folder.js';
import { startCli, train } from './run-cli.js';

const run = promisify(execFile);
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const predict = (out: string, data = at('things.csv')) =>
  startCli('predict', '--model', at('model'), '--data', data, '--out', out).ended;
/** What `predict` writes for the three rows of the table. */
const PREDICTED = /^kind\n(.+\n){3}$/;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(at('things.csv'), 'width,kind\n1,a\n2,b\n3,a\n');
  await writeFile(at('copy.csv'), 'width,kind\n1,a\n2,b\n3,a\n');
  const args = ['--target', 'kind', '--epochs', '1', '--validation-split', '0', '--quiet'];
  const { code } = await train('--data', at('things.csv'), ...args, '--save', at('model'));
  expect(code).toBe(0);
});

describe('an output', () => {
  it('that is a symbolic link is written to where it leads', async () => {
    await mkdir(at('elsewhere'));
    for (const target of ['older.csv', 'new.csv']) {
      if (target === 'older.csv') await writeFile(at('elsewhere', target), 'older');
      await symlink(join('elsewhere', target), at(`link-to-${target}`));
      expect((await predict(at(`link-to-${target}`))).stderr).toBe('');
      expect((await lstat(at(`link-to-${target}`))).isSymbolicLink()).toBe(true);
      expect(await readFile(at('elsewhere', target), 'utf8')).toMatch(PREDICTED);
    }
  });

  it.skipIf(process.platform === 'win32')('that is a named pipe is read at its other end', async () => {
    await run('mkfifo', [at('pipe')]);
    const reading = run('cat', [at('pipe')], { timeout: 30_000 });
    expect((await predict(at('pipe'))).code).toBe(0);
    expect((await reading).stdout).toMatch(PREDICTED);
    expect((await stat(at('pipe'))).isFIFO()).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')('that is the terminal or a device is written to it', async () => {
    // Links, so that a program that replaces what it is given replaces nothing of the machine's.
    await symlink('/dev/stdout', at('terminal'));
    const { code, stdout, stderr } = await predict(at('terminal'));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(PREDICTED);
    await symlink('/dev/null', at('nothing'));
    expect((await predict(at('nothing'))).code).toBe(0);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it.each([
    ['the data', () => predict(at('copy.csv'), at('copy.csv')), 'would replace the file that --data reads'],
    ['the model', () => predict(at('model', 'model.json')), 'is among the files of the model in'],
    [
      'a link to the model',
      async () => {
        const [weights] = (await readdir(at('model'))).filter((name) => name.startsWith('weights'));
        await symlink(at('model', weights as string), at('weights'));
        return startCli('export', '--model', at('model'), '--out', at('weights')).ended;
      },
      'is among the files of the model in',
    ],
    ['a folder', () => predict(at('model')), 'is a folder: name a file'],
    ['in a folder that is missing', () => predict(at('missing', 'out.csv')), 'make the folder'],
  ])('that is %s is refused before any work', async (_, command, message) => {
    const files = async () =>
      Promise.all(
        [at('copy.csv'), ...(await readdir(at('model'))).map((name) => at('model', name))].map((path) =>
          readFile(path),
        ),
      );
    const before = await files();
    const { code, stderr } = await command();
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(await files()).toEqual(before);
  });

  it('of bench is not the file of its model', async () => {
    await writeFile(at('topology.json'), '{}');
    const { code, stderr } = await startCli('bench', '--model', at('topology.json'), '--json', at('topology.json'))
      .ended;
    expect(code).toBe(2);
    expect(stderr).toContain('--json');
    expect(stderr).toContain('would replace the file that --model reads');
  });
});
