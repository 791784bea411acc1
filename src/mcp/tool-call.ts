import type { IncomingMessage } from 'node:http';
import { isUtf8 } from '../contract/checks/body.ts';
import { isJson } from '../contract/checks/media-type.ts';
import type { Operation } from '../contract/operations/operation.ts';
import { GatewayError } from '../failures.ts';
import { hasBody, NO_BODY, readToSend, type BodyReading, type OutgoingBody } from '../request/body.ts';
import { Lookalikes } from './lookalikes.ts';
import { CALL, knowsName, readMessage, undecidable, type McpMessage } from './message.ts';

/** The body of a request, and the operation that it is where it calls a tool with rules of its own. */
export interface ToolCallBody extends OutgoingBody {
  readonly tool?: Operation;
}

/**
 * Reads the body of a request to an MCP server that has rules for its tools, and finds the tool that it calls. What
 * cannot be decided never passes. The headers decide nothing, because an older server does not look at them: they only
 * have to say the same as the body.
 *
 * @throws {GatewayError} `undecidable_message`, `header_mismatch`, and what {@link readToSend} throws
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export function readToolCall(
  req: IncomingMessage,
  { method, tools }: Pick<Operation, 'method' | 'tools'>,
  reading: BodyReading,
): ToolCallBody | Promise<ToolCallBody> {
  if (method === 'POST') {
    refuseOtherContent(req);
    return readPosted(req, tools, reading);
  }
  if (hasBody(req)) {
    throw undecidable('Only a POST has a body.');
  }
  return NO_BODY;
}

async function readPosted(
  req: IncomingMessage,
  tools: Operation['tools'],
  reading: BodyReading,
): Promise<ToolCallBody> {
  const { bytes, outgoing } = await readToSend(req, reading);
  const message = readMessage(bytes, reading.memory);
  refuseMismatch(req, message);
  const tool = findTool(message, tools);
  return tool === undefined ? outgoing : { ...outgoing, tool };
}

/** @throws {GatewayError} `undecidable_message` for a name that some reader takes for that of a tool with rules */
function findTool({ id, method, name = '' }: McpMessage, tools: Operation['tools']): Operation | undefined {
  if (method !== CALL || tools === undefined) {
    return undefined;
  }
  const tool = tools.get(name);
  if (tool === undefined) {
    const taken = lookalikesOf(tools).find(name);
    if (taken !== undefined) {
      throw undecidable(`The tool could be taken for ${taken}.`, id);
    }
  }
  return tool;
}

/** The names of the tools are the same for every call, and are folded once. */
const LOOKALIKES = new WeakMap<NonNullable<Operation['tools']>, Lookalikes>();

function lookalikesOf(tools: NonNullable<Operation['tools']>): Lookalikes {
  const lookalikes = LOOKALIKES.get(tools) ?? new Lookalikes(tools.keys());
  LOOKALIKES.set(tools, lookalikes);
  return lookalikes;
}

function refuseOtherContent(req: IncomingMessage): void {
  const { 'content-type': contentType = '', 'content-encoding': encoding } = req.headers;
  if (!hasBody(req)) {
    throw undecidable('The request has no message.');
  }
  if (!isJson(contentType) || !isUtf8(contentType)) {
    throw undecidable('Send the message as application/json in UTF-8.');
  }
  if (encoding !== undefined) {
    throw undecidable('Send the message without a Content-Encoding.');
  }
}

/** @throws {GatewayError} `header_mismatch` */
function refuseMismatch(req: IncomingMessage, message: McpMessage): void {
  const { id, method, name } = message;
  const { 'mcp-method': methods = [], 'mcp-name': names = [] } = req.headersDistinct;
  const pairs = [
    { header: 'Mcp-Method', lines: methods, meant: method, isKnown: true },
    { header: 'Mcp-Name', lines: names, meant: name, isKnown: knowsName(message) },
  ];
  for (const { header, lines, meant, isKnown } of pairs) {
    const [said, ...others] = lines;
    const differs = said !== undefined && isKnown && (meant === undefined || decode(said) !== meant);
    if (differs || others.length > 0) {
      throw new GatewayError('header_mismatch', {
        detail: `${header} and the message differ; send the same in both.`,
        jsonRpc: { code: -32_020, id },
      });
    }
  }
}

/** A value that could not stand in a header as it is. */
const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** @returns `undefined` for what is not encoded as it should be */
function decode(value: string): string | undefined {
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) {
    return value;
  }
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? bytes.toString() : undefined;
}
