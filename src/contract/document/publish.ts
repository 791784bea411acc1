import type { Access, Requirement } from '../../session/requirement.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { ContractDocument } from './document.ts';
import { ChallengeResponses, type ChallengeStatus } from '../openapi/challenge-responses.ts';
import { createKeepServed, hasOperation } from '../openapi/keep-served.ts';
import { fieldOf } from '../openapi/parts.ts';
import { pruneComponents, type Dropped } from '../openapi/prune.ts';
import { addressScheme, makeSchemes, type AuthorityAddresses } from '../openapi/published-schemes.ts';
import { stripExtensions } from '../openapi/strip-extensions.ts';
import { structureOf, type Structure } from '../openapi/structure.ts';
import { dereference } from '../openapi/references.ts';

/** What a document is published with. */
export interface Publication {
  /** How clients reach the API: the public address with what stands before the document's paths. */
  readonly serverUrl: string;
  /** The addresses of the authority for the tenant. */
  readonly authority: AuthorityAddresses;
  /** The operations that are published, by `get /orders` as in the document. */
  readonly operations: ReadonlyMap<string, PublishedOperation>;
  /** What gateway.yaml says in the place of the document's `security`; absent where it says nothing. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** What clients are told of an operation. */
export interface PublishedOperation {
  readonly access: Access;
  readonly authContext?: string;
}

/**
 * The document as clients see it: the operations that are served, at the public address and with the addresses of the
 * authority, each with the answers to a token that will not do, and without `x-` keys.
 */
export function publishDocument(document: ContractDocument, publication: Publication): JsonObject {
  const { root, version } = document;
  const structure = structureOf(version);
  const publisher = new Publisher(root, structure, publication);
  const changes = {
    // What follows is relative to where the document is published.
    $self: undefined,
    servers: [{ url: publication.serverUrl }],
    paths: publisher.publishPaths(),
    components: publisher.publishComponents(),
    ...(publication.security && { security: undefined }),
  };
  const published = pruneComponents(replaceMembers(root, changes), structure, publisher.dropped);
  return stripExtensions(published, version);
}

/** The members of the document in its order, with those that change, and without those that are `undefined`. */
function replaceMembers(root: JsonObject, changes: JsonObject): JsonObject {
  const { openapi, info, servers } = { ...root, ...changes };
  const members = Object.entries({ openapi, info, servers, ...root, ...changes });
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

class Publisher {
  /** What the published document lacks, so that what only that used goes too. */
  readonly dropped: Dropped[] = [];
  readonly #root: JsonObject;
  readonly #structure: Structure;
  readonly #publication: Publication;
  readonly #responses: ChallengeResponses;

  constructor(root: JsonObject, structure: Structure, publication: Publication) {
    this.#root = root;
    this.#structure = structure;
    this.#publication = publication;
    this.#responses = new ChallengeResponses(root);
  }

  publishPaths(): JsonObject | undefined {
    const { paths } = this.#root;
    const { operations } = this.#publication;
    if (!isJsonObject(paths)) {
      return undefined;
    }
    const keepServed = createKeepServed(
      this.#structure,
      ({ method, path }) => operations.has(`${method} ${path}`),
      this.dropped,
    );
    const items = Object.keys(paths).flatMap((path): [string, JsonObject][] => {
      const item = keepServed(this.#resolveItem(paths[path]), path);
      return hasOperation(this.#structure, item) ? [[path, this.#publishItem(item, path)]] : [];
    });
    return Object.fromEntries(items);
  }

  /** Path items that are shared hold operations of paths that are not served, so each path has its own. */
  #resolveItem(value: unknown): JsonObject {
    const item = isJsonObject(value) ? value : {};
    if (item['$ref'] !== undefined) {
      this.dropped.push({ value: item, kind: 'path item' });
    }
    return dereference(this.#root, { value: item, pointer: '' }).value;
  }

  #publishItem(item: JsonObject, path: string): JsonObject {
    const { servers: _servers, security, ...members } = item;
    const entries = Object.entries(members).map(([key, value]) => {
      const field = fieldOf(this.#structure['path item'], key);
      if (field === undefined || !('of' in field) || field.of !== 'operation' || !isJsonObject(value)) {
        return [key, value];
      }
      const publish = (operation: unknown, method: string): unknown =>
        this.#publishOperation(operation, security, this.#publication.operations.get(`${method} ${path}`));
      return [
        key,
        field.is === 'map'
          ? Object.fromEntries(Object.entries(value).map(([method, operation]) => [method, publish(operation, method)]))
          : publish(value, key),
      ];
    });
    return Object.fromEntries(entries) as JsonObject;
  }

  #publishOperation(value: unknown, inherited: unknown, published: PublishedOperation | undefined): unknown {
    if (!isJsonObject(value) || published === undefined) {
      return value;
    }
    const operation = dereference(this.#root, { value, pointer: '' }).value;
    const { servers: _servers, security, responses, ...members } = operation;
    const statuses = listStatuses(published);
    this.#dropResponses(responses, statuses);
    return {
      ...members,
      ...this.#publishSecurity(security ?? inherited, published),
      ...(responses === undefined && statuses.length === 0
        ? {}
        : { responses: this.#responses.addTo(responses, statuses) }),
    };
  }

  #dropResponses(responses: unknown, statuses: readonly ChallengeStatus[]): void {
    const replaced = isJsonObject(responses) ? statuses.map((status) => [status, responses[status]]) : [];
    this.dropped.push({ value: Object.fromEntries(replaced), kind: 'responses' });
  }

  #publishSecurity(security: unknown, { access }: PublishedOperation): JsonObject {
    if (this.#publication.security !== undefined) {
      return { security: access === 'anonymous' ? [] : access.map(toRequirement) };
    }
    return security === undefined ? {} : { security };
  }

  publishComponents(): JsonObject | undefined {
    const { components } = this.#responses;
    const own = isJsonObject(components['securitySchemes']) ? components['securitySchemes'] : {};
    const schemes = this.#publication.security === undefined ? this.#addressSchemes(own) : this.#makeSchemes();
    const { securitySchemes: _own, ...others } = components;
    const published = { ...others, ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }) };
    return Object.keys(published).length > 0 ? published : undefined;
  }

  #addressSchemes(schemes: JsonObject): JsonObject {
    const { authority } = this.#publication;
    return Object.fromEntries(
      Object.entries(schemes).map(([name, scheme]) => [
        name,
        isJsonObject(scheme)
          ? addressScheme(dereference(this.#root, { value: scheme, pointer: '' }).value, authority)
          : scheme,
      ]),
    );
  }

  #makeSchemes(): JsonObject {
    const ways = [...this.#publication.operations.values()].flatMap(({ access }) =>
      access === 'anonymous' ? [] : access,
    );
    const users = ways.filter(({ caller }) => caller === 'user');
    const apps = ways.filter(({ caller }) => caller === 'app');
    return makeSchemes(
      {
        ...(users.length > 0 && { scopes: [...new Set(users.flatMap(namesOf))] }),
        ...(apps.length > 0 && { roles: [...new Set(apps.flatMap(namesOf))] }),
      },
      this.#publication.authority,
    );
  }
}

/** With a scope, a role or an authentication context a token can be good and still not enough. */
function listStatuses({ access, authContext }: PublishedOperation): readonly ChallengeStatus[] {
  if (access === 'anonymous') {
    return [];
  }
  const asks = access.some((way) => namesOf(way).length > 0);
  return asks || authContext !== undefined ? ['401', '403'] : ['401'];
}

function namesOf(way: Requirement): readonly string[] {
  switch (way.caller) {
    case 'user':
      return way.scopes;
    case 'app':
      return way.roles;
    case 'anyone':
      return [];
  }
}

function toRequirement(way: Requirement): JsonObject {
  switch (way.caller) {
    case 'user':
      return { user: way.scopes };
    case 'app':
      return { app: way.roles };
    case 'anyone':
      return {};
  }
}
