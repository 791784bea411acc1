import { readJson } from '../contract/checks/json-text.ts';
import { GatewayError, type JsonRpcFacts } from '../failures.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import { Lookalikes } from './lookalikes.ts';

/** What a message of an MCP client says, as far as rules for tools need it. */
export interface McpMessage {
  readonly id: JsonRpcFacts['id'];
  /** Absent from an answer to a request of the server. */
  readonly method: string | undefined;
  /** What it is about: the name of the tool or the prompt, the address of the resource, the id of the task. */
  readonly name: string | undefined;
}

/** The method that calls a tool. */
export const CALL = 'tools/call';

/** The member of `params` that says what a request is about, by its method; clients repeat it in `Mcp-Name`. */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  [CALL, 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/cancel', 'taskId'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
]);

/** Methods that are about nothing that has a name, in every revision that has them. */
const NAMELESS: ReadonlySet<string> = new Set([
  'initialize',
  'logging/setLevel',
  'ping',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'server/discover',
  'tasks/list',
  'tools/list',
]);

/** Members that decide. */
interface Deciding {
  readonly names: ReadonlySet<string>;
  readonly lookalikes: Lookalikes;
}

function decide(...names: readonly string[]): Deciding {
  return { names: new Set(names), lookalikes: new Lookalikes(names) };
}

/** The members of a message that decide what it is. */
const OF_MESSAGE: Deciding = decide('jsonrpc', 'id', 'method', 'params', 'result', 'error');

/** The member of the parameters of a call that decides which tool it is. */
const OF_CALL: Deciding = decide('name');

/** What readers take for the method that calls a tool. */
const CALLS = new Lookalikes([CALL]);

/** A mark at its beginning stays, because not every reader passes over it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the one message of a body, if every reader finds the same in it.
 *
 * @param memory asked for the room that reading takes
 * @throws {GatewayError} `undecidable_message`, or `overloaded` where there is no room
 * @see https://www.jsonrpc.org/specification#request_object
 */
export function readMessage(bytes: Buffer, memory: Pick<BodyMemory, 'demandRoom'>): McpMessage {
  const text = decode(bytes);
  const json = readJson(text, (size) => memory.demandRoom(size));
  if (json === undefined) {
    throw undecidable('The body is no JSON in UTF-8.');
  }
  if ('fault' in json) {
    const { pointer, detail } = json.fault;
    const why = pointer === undefined ? detail : 'must not have a member twice';
    throw undecidable(`The message ${why}.`, pointer === '/id' ? null : rereadId(text));
  }
  const { value } = json;
  if (!isJsonObject(value)) {
    throw undecidable('The body is not one message; send each by itself.');
  }
  return readRequest(value);
}

/** @throws {GatewayError} `undecidable_message` */
function readRequest(message: JsonObject): McpMessage {
  const id = readId(message);
  refuseLookalikes(message, OF_MESSAGE, id);
  const { method, params } = message;
  if (!Object.hasOwn(message, 'method')) {
    if (Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')) {
      return { id, method: undefined, name: undefined };
    }
    throw undecidable('The message has no method.', id);
  }
  if (typeof method !== 'string' || (method !== CALL && CALLS.find(method) !== undefined)) {
    throw undecidable('The method of the message is none.', id);
  }
  const member = NAMED_BY.get(method);
  if (member === undefined) {
    return { id, method, name: undefined };
  }
  const name = isJsonObject(params) && Object.hasOwn(params, member) ? params[member] : undefined;
  if (method !== CALL) {
    return { id, method, name: typeof name === 'string' ? name : undefined };
  }
  if (!isJsonObject(params) || typeof name !== 'string') {
    throw undecidable('The message calls a tool without its name.', id);
  }
  refuseLookalikes(params, OF_CALL, id);
  return { id, method, name };
}

/**
 * True where the name of a message is known, also that it has none; of a method that is not known here, a client may repeat
 * whatever its revision says.
 */
export function knowsName({ method }: Pick<McpMessage, 'method'>): boolean {
  return method === undefined || NAMED_BY.has(method) || NAMELESS.has(method);
}

/** Refuses members that some readers take for one that decides, because of two such members some take the last. */
function refuseLookalikes(value: JsonObject, { names, lookalikes }: Deciding, id: JsonRpcFacts['id']): void {
  for (const name of Object.keys(value)) {
    const taken = names.has(name) ? undefined : lookalikes.find(name);
    if (taken !== undefined) {
      throw undecidable(`The message has a member that could be taken for ${taken}.`, id);
    }
  }
}

/** The characters of an id that a refusal repeats: far more than any client needs, so that no answer is as large as a body. */
const MAX_ID = 1_024;

/** The id of a message where it can be repeated as it is, else `null`. */
function readId(message: unknown): JsonRpcFacts['id'] {
  const id = isJsonObject(message) && Object.hasOwn(message, 'id') ? message['id'] : null;
  if (typeof id === 'string') {
    return id.length <= MAX_ID ? id : null;
  }
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
}

/** The characters of a message that is read once more, for its id alone: so few that they need no room worth asking for. */
const MAX_REREAD = 64 * 1_024;

/** The id of a JSON text that was refused for something else in it. */
function rereadId(text: string): JsonRpcFacts['id'] {
  return text.length > MAX_REREAD ? null : readId(JSON.parse(text));
}

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw undecidable('The body is no JSON in UTF-8.');
  }
}

/** The failure of a message of which it cannot be said what it does. */
export function undecidable(detail: string, id: JsonRpcFacts['id'] = null): GatewayError {
  return new GatewayError('undecidable_message', { detail, jsonRpc: { code: -32_600, id } });
}
