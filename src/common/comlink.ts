/** The one place that knows where comlink keeps its adapter for Node's MessagePort, which its types leave out. */
import type { MessagePort } from 'node:worker_threads';
import type { Endpoint, Remote } from 'comlink';
import * as comlink from 'comlink';
// @ts-expect-error comlink 4.4.2 ships this module without a declaration that nodenext resolution finds
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

const adapt = nodeEndpoint as (port: MessagePort) => Endpoint;

/** Answers calls that come in through `port` with the methods of `api`. */
export function exposeOn<Api extends object>(port: MessagePort, api: Api): void {
  comlink.expose(api, adapt(port));
}

/** A typed proxy of the object exposed at the other end of `port`. */
export function wrapPort<Api>(port: MessagePort): Remote<Api> {
  return comlink.wrap<Api>(adapt(port));
}

export type { Remote } from 'comlink';
