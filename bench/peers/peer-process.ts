import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Failed, Ready, Request } from './protocol.js';

/** How a peer is started. */
export interface Command {
  file: string;
  args: string[];
  env?: Record<string, string>;
  /** Processes that train together, each told its rank. Default 1. */
  processes?: number;
}

/** A peer that waits for requests: one process, or several that are asked alike and of which the first answers. */
export class PeerProcess implements AsyncDisposable {
  readonly #children: ChildProcess[];
  readonly #answers: AsyncIterator<string>;
  #errors = '';
  version = '';

  private constructor(children: ChildProcess[]) {
    this.#children = children;
    const [first] = children as [ChildProcess];
    this.#answers = createInterface(first.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
    for (const child of children) {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.#errors = (this.#errors + text).slice(-2000);
      });
      child.stdin?.on('error', () => {}); // it has ended: the missing answer says so
    }
  }

  /** @throws Error if it ends, or is not ready within `timeout` milliseconds. */
  static async start({ file, args, env = {}, processes = 1 }: Command, timeout: number): Promise<PeerProcess> {
    const meeting: Record<string, string> =
      processes === 1
        ? {}
        : { WORLD_SIZE: `${processes}`, MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${await freePort()}` };
    const children = Array.from({ length: processes }, (_, rank) => {
      const rankEnv = processes === 1 ? {} : { ...meeting, RANK: `${rank}`, GLOO_SOCKET_IFNAME: 'lo' };
      return spawn(file, args, { env: { ...process.env, ...env, ...rankEnv }, stdio: 'pipe' });
    });
    const peer = new PeerProcess(children);
    try {
      peer.version = (await peer.#answer<Ready>(timeout)).ready;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
    return peer;
  }

  /** @throws Error with the peer's own message, or if it ends, or takes longer than `timeout` milliseconds. */
  ask<Answer extends object>(request: Request, timeout: number): Promise<Answer> {
    for (const { stdin } of this.#children) stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#answer<Answer>(timeout);
  }

  /** Most memory that all processes have had resident at a time, in bytes; undefined where the system does not tell. */
  peakMemory(): number | undefined {
    try {
      // Not what getrusage says: that counts what the parent had when it forked, too.
      return this.#children
        .map(({ pid }) => /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
        .reduce((sum, kibibytes) => sum + Number(kibibytes) * 1024, 0);
    } catch {
      return undefined;
    }
  }

  /** Ends the processes: at the end of their input, or after a while by force. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#children.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      child.stdin?.end();
      return new Promise<void>((resolve) => {
        child.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    });
    await Promise.all(ended);
  }

  async #answer<Answer extends object>(timeout: number): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = (timeout / 1000).toFixed(0);
      timer = setTimeout(() => {
        for (const child of this.#children) child.kill('SIGKILL');
        reject(new Error(`no answer within ${seconds} s`));
      }, timeout);
    });
    try {
      const { value, done } = await Promise.race([this.#answers.next(), late]);
      if (done) throw new Error(`it ended: ${this.#errors.trim().split('\n').at(-1)}`);
      const answer = JSON.parse(value) as Answer | Failed;
      if ('error' in answer) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
