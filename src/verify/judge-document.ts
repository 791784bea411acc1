import { bareMediaType } from '../contract/checks/media-type.ts';
import { readVersion } from '../contract/openapi/version.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Answer } from './answer.ts';
import { findExtension } from './find-extension.ts';
import type { TriedOperation } from './load-operations.ts';

/** Looks at the answer to a GET of a document of the gateway; gives a sentence for each fault. */
export type DocumentJudge = (answer: Answer, operations: readonly TriedOperation[]) => string[];

/** Compares an answer with what clients need of the published contract. */
export function judgeContractDocument(answer: Answer, operations: readonly TriedOperation[]): string[] {
  return judgePublicJson(answer, (document) => {
    const version = readVersion(document);
    if (typeof version !== 'string') {
      return [`expected an OpenAPI document, got one that ${version.problem}`];
    }
    const extension = findExtension(document, version);
    return [
      ...['info', 'paths']
        .filter((name) => !isJsonObject(document[name]))
        .map((name) => `expected the document to have ${name}`),
      ...(extension === undefined ? [] : [`expected no key that begins with x-, got ${extension}`]),
      ...(hasOneServer(document) ? [] : ['expected one server, with the http or https address of the gateway']),
      ...judgeOperations(document, operations),
    ];
  });
}

function hasOneServer({ servers }: JsonObject): boolean {
  const [server, ...others]: unknown[] = Array.isArray(servers) ? servers : [];
  return isJsonObject(server) && others.length === 0 && isWebAddress(server['url']);
}

const MAX_NAMED = 3;

function judgeOperations({ paths }: JsonObject, operations: readonly TriedOperation[]): string[] {
  const missing = operations.filter(({ method, path }) => {
    const item = isJsonObject(paths) && Object.hasOwn(paths, path) ? paths[path] : undefined;
    // What stands elsewhere has the operation unless the gateway is wrong about its own document.
    return !isJsonObject(item) || !(method.toLowerCase() in item || '$ref' in item || 'additionalOperations' in item);
  });
  const named = missing.slice(0, MAX_NAMED).map(({ method, path }) => `${method} ${path}`);
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : '';
  return missing.length === 0
    ? []
    : [`expected the operations of the contract, got none for ${named.join(', ')}${more}`];
}

/** Compares an answer with what clients need of the metadata of the whole API, without its MCP servers (RFC 9728 §2). */
export function judgeMetadata(answer: Answer, operations: readonly TriedOperation[]): string[] {
  return judgeResource(
    answer,
    operations.filter(({ isOfMcpServer }) => !isOfMcpServer).flatMap(({ access }) => usersOf(access).flat()),
  );
}

/** Compares an answer with what clients need of the metadata of one MCP server: what it takes to connect. */
export function judgeServerMetadata(answer: Answer, operations: readonly TriedOperation[]): string[] {
  return judgeResource(
    answer,
    operations.flatMap(({ access }) => usersOf(access)[0] ?? []),
  );
}

function judgeResource(answer: Answer, asked: readonly string[]): string[] {
  return judgePublicJson(answer, (metadata) => {
    const { resource, authorization_servers: issuers, scopes_supported: scopes } = metadata;
    const missing = Array.isArray(scopes) ? [...new Set(asked)].filter((scope) => !scopes.includes(scope)) : [];
    return [
      ...(isWebAddress(resource) && !resource.includes('#')
        ? []
        : ['expected resource to be an http or https address without a fragment']),
      ...(Array.isArray(issuers) && issuers.length > 0 && issuers.every(isWebAddress)
        ? []
        : ['expected authorization_servers to be a list of http or https addresses']),
      ...(isTexts(scopes) ? [] : ['expected scopes_supported to be a list of texts']),
      ...(missing.length === 0 ? [] : [`expected scopes_supported to name ${missing.join(', ')}`]),
    ];
  });
}

/** The scopes of each requirement for users. */
function usersOf(access: TriedOperation['access']): readonly (readonly string[])[] {
  return access === 'anonymous' ? [] : access.flatMap((way) => (way.caller === 'user' ? [way.scopes] : []));
}

/** What a client on any page must be able to read. */
function judgePublicJson(answer: Answer, judge: (document: JsonObject) => string[]): string[] {
  const { status, headers, text = '' } = answer;
  if (status !== 200) {
    return [`expected 200, got ${status}`];
  }
  const contentType = headers.get('content-type')?.[0] ?? '';
  const origin = headers.get('access-control-allow-origin')?.join(', ');
  const document = parseJsonObject(text);
  return [
    ...(bareMediaType(contentType) === 'application/json'
      ? []
      : [`expected the content type application/json, got ${contentType || 'none'}`]),
    ...(origin === '*' ? [] : [`expected Access-Control-Allow-Origin: *, got ${origin ?? 'none'}`]),
    ...(document === undefined ? ['expected a JSON object'] : judge(document)),
  ];
}

function isWebAddress(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
