/**
 * The journal of a study: one JSON object a line, first what is studied, then each training that is done. A line is on the
 * disk before the next training begins, so that a study that was stopped, or killed, goes on where it was.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { StudyError } from './study-error.js';

const FILE = 'journal.jsonl';

/** What a journal is about: compared field by field when a study goes on. */
export type JournalHeader = Record<string, unknown>;

/** An open journal. */
export class Journal<Entry> implements AsyncDisposable {
  /** Entries found when it was opened, and those added since. */
  readonly entries: Entry[];
  readonly #file: FileHandle;

  private constructor(file: FileHandle, entries: Entry[]) {
    this.#file = file;
    this.entries = entries;
  }

  /**
   * Opens the journal in `folder`, or begins one. Half a line at its end, of a study that was killed, is cut off.
   *
   * @throws StudyError if the journal is about something else, or cannot be read.
   */
  static async open<Entry>(folder: string, header: JournalHeader): Promise<Journal<Entry>> {
    await mkdir(folder, { recursive: true }).catch((error: Error) => {
      throw new StudyError(`the folder ${folder} cannot be made: ${error.message}; choose another one`);
    });
    const path = join(folder, FILE);
    const file = await open(path, 'a+');
    try {
      const text = await file.readFile('utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
      const [found, ...entries] = parse(whole, path);
      const journal = new Journal(file, entries as Entry[]);
      if (found === undefined) await journal.#write(header);
      else checkSame(found as JournalHeader, header, path);
      return journal;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Adds an entry; resolves when it is on the disk. */
  async add(entry: Entry): Promise<void> {
    await this.#write(entry);
    this.entries.push(entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(value: unknown): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(value)}\n`);
    await this.#file.datasync();
  }
}

function parse(text: string, path: string): unknown[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line);
    } catch {
      throw new StudyError(`${path}, line ${index + 1} is not JSON; move the file away to begin anew`);
    }
  });
}

function checkSame(found: JournalHeader, wanted: JournalHeader, path: string): void {
  const own = JSON.parse(JSON.stringify(wanted)) as JournalHeader;
  const names = [...new Set([...Object.keys(found), ...Object.keys(own)])];
  const other = names.find((name) => !isDeepStrictEqual(found[name], own[name]));
  if (other === undefined) return;
  throw new StudyError(
    `${path} belongs to another study: there ${other} is ${show(found[other])}, here ${show(own[other])}; ` +
      'choose another folder, or move that one away to begin anew',
  );
}

function show(value: unknown): string {
  return value === undefined ? 'not given' : JSON.stringify(value);
}
