import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileContract, loadContract, type Contract, type ContractSource } from '../../src/contract/contract.ts';
import type { OpenApiVersion } from '../../src/contract/document/document.ts';
import type { Operation } from '../../src/contract/operations/operation.ts';
import type { ConfigFault } from '../../src/failures.ts';

/** A node of an OpenAPI document. */
export type Node = Record<string, unknown>;

const TOKEN_URL = 'https://login.microsoftonline.com/common/oauth2/v2.0/token';
const AUTHORIZE_URL = 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize';

/** A scheme for people, with delegated scopes, and one for programs, with app roles. */
export const SCHEMES = {
  user: {
    type: 'oauth2',
    flows: {
      authorizationCode: {
        authorizationUrl: AUTHORIZE_URL,
        tokenUrl: TOKEN_URL,
        scopes: { 'api://gateway/Orders.Read': 'Read', 'api://gateway/Orders.Write': 'Write' },
      },
    },
  },
  daemon: {
    type: 'oauth2',
    flows: { clientCredentials: { tokenUrl: TOKEN_URL, scopes: { 'Orders.Read.All': 'Read', Admin: 'All' } } },
  },
};

/** An operation that anybody may call, with what a test is about. */
export function operation(changes: Node = {}): Node {
  return {
    security: [],
    'x-downstream': { service: 'orders' },
    responses: { '200': { description: 'Well.' } },
    ...changes,
  };
}

/** A parameter in the path. */
export function pathParameter(name: string, changes: Node = {}): Node {
  return { name, in: 'path', required: true, schema: { type: 'string' }, ...changes };
}

/** A document with these paths. */
export function documentWith(paths: Node, changes: Node = {}): Node {
  return {
    openapi: '3.1.0',
    info: { title: 'A test', version: '1.0.0' },
    paths,
    components: { securitySchemes: SCHEMES },
    ...changes,
  };
}

/** A contract and everything that is wrong with it. */
export interface Loaded {
  readonly contract: Contract | undefined;
  readonly faults: readonly ConfigFault[];
  /** The faults as a terminal shows them. */
  readonly lines: readonly string[];
}

/** Writes a document, or a text that should be one, into a file and loads it; the services are `orders` and `graph`. */
export async function load(document: Node | string, changes: Partial<ContractSource> = {}): Promise<Loaded> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-contract-'));
  const file = join(folder, 'openapi.yaml');
  const faults: ConfigFault[] = [];
  try {
    await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document));
    const contract = await loadContract([{ at: 'contract', file, ...changes }], new Set(['orders', 'graph']), faults);
    const lines = faults.map(({ at, message }) => `${at}: ${message.replace(file, 'openapi.yaml')}`);
    return { contract, faults, lines };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What {@link compile} compiles, and for which deployment. */
export interface Compiled {
  readonly root: Node;
  /** Default: 3.1. */
  readonly version?: OpenApiVersion;
  /** What gateway.yaml says of the document. */
  readonly source?: Partial<ContractSource>;
  /** Default: `orders` and `graph`. */
  readonly services?: readonly string[];
}

/** Compiles documents as gateway.yaml lists them, with nothing looked at but what the gateway makes of them. */
export function compileAll(
  documents: readonly Compiled[],
  services: readonly string[] = ['orders', 'graph'],
): Contract & { readonly lines: readonly string[] } {
  const faults: ConfigFault[] = [];
  const parts = documents.map(({ root, version = '3.1', source }, index) => ({
    source: { at: documents.length === 1 ? 'contract' : `contract[${index}]`, file: 'openapi.yaml', ...source },
    document: { file: 'openapi.yaml', version, root: JSON.parse(JSON.stringify(root)) as Node },
  }));
  const contract = compileContract(parts, new Set(services), faults);
  return { ...contract, lines: faults.map(({ at, message }) => `${at}: ${message}`) };
}

/** The same for one document, in which nothing may be wrong. */
export function compile(document: Compiled): Contract {
  const { lines, ...contract } = compileAll([document], document.services);
  if (lines.length > 0) {
    throw new Error(lines.join('\n'));
  }
  return contract;
}

/** Loads a document in which nothing may be wrong. */
export async function loadGood(document: Node): Promise<Contract> {
  const { contract, lines } = await load(document);
  if (contract === undefined || lines.length > 0) {
    throw new Error(lines.join('\n'));
  }
  return contract;
}

/** Loads `GET /it`, which is the only operation. */
export async function loadOperation(changes: Node): Promise<Operation> {
  const [only] = (await loadGood(documentWith({ '/it': { get: operation(changes) } }))).operations;
  if (only === undefined) {
    throw new Error('The contract has no operation.');
  }
  return only;
}

/** What is wrong with a document whose only operation is `GET /it`. */
export async function faultsOf(changes: Node): Promise<readonly string[]> {
  const { faults } = await load(documentWith({ '/it': { get: operation(changes) } }));
  return faults.map(({ at, message }) => `${at}: ${message}`);
}
