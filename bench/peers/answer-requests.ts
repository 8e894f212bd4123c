import { createInterface } from 'node:readline';
import type { Checked, Measured, Request } from './protocol.js';

/** What a peer can do. */
export interface Peer {
  check(updates: number, limit: number): Promise<Checked>;
  run(updates: number): Promise<Measured>;
}

/** Answers the requests on standard input until it ends. */
export async function answerRequests(version: string, peer: Peer): Promise<void> {
  const answer = (object: object) => process.stdout.write(`${JSON.stringify(object)}\n`);
  answer({ ready: version });
  for await (const line of createInterface(process.stdin)) {
    const request = JSON.parse(line) as Request;
    const work = 'run' in request ? peer.run(request.run) : peer.check(request.check, request.limit);
    answer(await work.catch((error: Error) => ({ error: error.message })));
  }
}
