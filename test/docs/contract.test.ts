import { afterAll, describe, expect, it } from '@jest/globals';
import { dump, load as parse } from 'js-yaml';
import { adviseContract } from '../../src/check/advise-contract.ts';
import type { GatewayConfig } from '../../src/config/load-config.ts';
import type { Contract } from '../../src/contract/contract.ts';
import { formatOfNumbers, formatOfTexts } from '../../src/contract/schema/formats.ts';
import { SchemaCompiler, type SchemaDialect } from '../../src/contract/schema/schemas.ts';
import { Authority } from '../../src/entra/authority.ts';
import { publishContract } from '../../src/http/contract-documents.ts';
import { makeConfigFolder, withKeys } from '../config/config-folder.ts';
import { send, startBodyServer } from '../contract/body-server.ts';
import { documentWith, load, loadGood, operation, type Loaded, type Node } from '../contract/documents.ts';
import { checkParameters, type Sent } from '../contract/parameter-source.ts';
import { FAULTY, REMARKABLE, type Trouble } from './contract-faults.ts';
import { completeDocument, readExamples, readFormats, readTable } from './contract-page.ts';

type Operation = Contract['operations'][number];

/** An operation as the page writes it: what callers reach, where it goes, who may call. */
function describeRoute({ method, path, service, downstreamMethod, downstreamPath, access }: Operation): string {
  const ways = access === 'anonymous' ? ['anyone'] : access.map(describeWay);
  return `${method} ${path} → ${service} ${downstreamMethod} ${downstreamPath}: ${ways.join(', or ')}`;
}

function describeWay(way: Exclude<Operation['access'], string>[number]): string {
  if (way.caller === 'anyone') {
    return 'anyone';
  }
  const names = way.caller === 'user' ? way.claimed : way.roles;
  return `${way.caller === 'user' ? 'a user' : 'an app'}${names.length > 0 ? ` with ${names.join(' and ')}` : ''}`;
}

const examples = readExamples('openapi.yaml');

describe('an example of docs/contract.md', () => {
  it('is there for each part of the page', () => {
    expect([examples.length, readExamples('gateway.yaml').length]).toEqual([7, 1]);
  });

  it.each(examples.slice(0, -2))('starts, and callers reach what it says: $routes.0', async ({ text, routes }) => {
    const { operations } = await loadGood(completeDocument(text));
    expect(operations.map(describeRoute)).toEqual(routes);
  });

  it('needs no x-downstream with one downstream', async () => {
    const [whole] = examples;
    const text = (whole?.text ?? '').replace(/^x-downstream:.*\n/m, '');
    const yaml = withKeys({ 'downstreams.graph': undefined, 'downstreams.orders': DOWNSTREAM });
    await folder.write('openapi.yaml', text);
    expect((await folder.load(yaml)).contract.operations.map(describeRoute)).toEqual(whole?.routes);
  });

  it('says the same by extensions of their own and in x-gateway', async () => {
    const [apart, together] = await Promise.all(
      examples.slice(-2).map(async ({ text }) => (await loadGood(completeDocument(text))).operations),
    );
    expect(JSON.stringify(together)).toBe(JSON.stringify(apart));
    expect(apart?.map(({ path }) => path)).toEqual(['/drive/{path}', '/reports', '/events']);
  });

  it('of gateway.yaml serves documents that nobody edited', async () => {
    const [{ text, routes } = { text: '', routes: [] }] = readExamples('gateway.yaml');
    await folder.write('openapi.yaml', examples[0]?.text ?? '');
    await folder.write('graph.yaml', dump(FOREIGN.graph));
    await folder.write('kubernetes.json', JSON.stringify(FOREIGN.kubernetes));
    const downstreams = { orders: DOWNSTREAM, graph: DOWNSTREAM, kubernetes: DOWNSTREAM };
    const { contract } = await folder.load(withKeys({ ...(parse(text) as Node), downstreams }));
    expect(contract.operations.map(describeRoute)).toEqual(routes);
    expect(contract.operations.map(({ name }) => name)).toContain('cluster listPods');
  });

  it('is published as the page says', async () => {
    const [whole] = examples;
    const { documents } = await loadGood(completeDocument(whole?.text ?? ''));
    const authority = new Authority('https://login.microsoftonline.com', 'common');
    const texts = publishContract({ documents }, { publicUrl: 'https://api.contoso.com', authority });
    const [published] = readExamples('GET /openapi.json');
    expect(JSON.parse(texts.get('/openapi.json')?.() ?? '')).toMatchObject(JSON.parse(published?.text ?? '') as Node);
  });
});

const DOWNSTREAM = { baseUrl: 'https://api.example.com', scopes: ['api://api/.default'] };
const folder = await makeConfigFolder();
afterAll(() => folder.remove());

/** What others wrote for their own readers: other security, other servers, parts that the gateway would refuse. */
const FOREIGN = {
  graph: {
    openapi: '3.0.4',
    info: { title: 'Mail', version: 'v1.0' },
    servers: [{ url: 'https://graph.microsoft.com/v1.0' }],
    security: [{ azureaadv2: [] }],
    paths: {
      '/me/messages': { get: { operationId: 'me.ListMessages', responses: {} } },
      '/users/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', nullable: true } }],
        get: { operationId: 'users.GetUser', responses: {} },
        trace: {},
      },
    },
  },
  kubernetes: {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1' },
    paths: {
      '/api/v1/pods': { get: { operationId: 'listPods', security: [{ BearerToken: [] }], responses: {} } },
      '/api/v1/nodes/{name}/proxy': { get: { operationId: 'undeclared', responses: {} } },
    },
    components: { securitySchemes: { BearerToken: { type: 'apiKey', in: 'header', name: 'authorization' } } },
  },
};

/** A line of the page as an expression: `…` is any text, and what else is there is there. */
function toPattern(quoted: string): RegExp {
  const parts = quoted.split('…').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`);
}

function loadTrouble({ text, source }: Trouble): Promise<Loaded> {
  const isWhole = /^(?:swagger|openapi: 3.1)/.test(text);
  return load(isWhole ? text : completeDocument(text), source);
}

/** The lines that are quoted beside the lines of the program, which must be as many. */
function pair(quoted: readonly string[], lines: readonly string[]): (readonly [string, string])[] {
  return lines.map((line) => [quoted.find((text) => toPattern(text).test(line)) ?? 'is not on the page', line]);
}

describe('docs/contract.md quotes', () => {
  it('every fault as it is', async () => {
    const quoted = readTable('fault').map(([fault = '']) => fault);
    const lines = (await Promise.all(FAULTY.map(loadTrouble))).flatMap((loaded) => loaded.lines);
    expect(pair(quoted, lines)).toEqual(quoted.map((text, index) => [text, lines[index]]));
  });

  it('every notice as it is', async () => {
    const quoted = readTable('notice').map(([notice = '']) => notice);
    const contracts = (await Promise.all(REMARKABLE.map(loadTrouble))).flatMap(({ contract }) => contract ?? []);
    const downstreams = { orders: DOWNSTREAM } as unknown as GatewayConfig['downstreams'];
    const lines = contracts.flatMap((contract) =>
      adviseContract({ contract, downstreams })
        .filter(({ status }) => status === 'warn')
        .map(({ found }) => found),
    );
    expect(pair(quoted, lines)).toEqual(quoted.map((text, index) => [text, lines[index]]));
  });
});

const LIST = { type: 'array', items: { enum: [3, 4] }, minItems: 2, uniqueItems: true };
const MAP = {
  type: 'object',
  required: ['x', 'y'],
  additionalProperties: false,
  properties: { x: { const: 1 }, y: { const: 2 } },
};

/** What is wrong with `p` when it is written so. */
function faultsOfParameter([place = '', style = '', explode = '']: readonly string[], schema: Node, text: string) {
  const sent: Record<string, Sent> = {
    path: { path: { p: text } },
    query: { query: `?${text}` },
    header: { headers: { p: text } },
    cookie: { headers: { cookie: text } },
  };
  const required = place === 'path';
  return checkParameters(
    [{ name: 'p', in: place, style, explode: explode === 'true', required, schema }],
    sent[place] ?? {},
  );
}

describe('parameters are read as docs/contract.md writes them', () => {
  it.each(readTable('in'))('in %s, %s, explode: %s', (...row) => {
    const [, , , list = '', map = ''] = row;
    expect([faultsOfParameter(row, LIST, list), faultsOfParameter(row, MAP, map)]).toEqual([[], []]);
    expect(faultsOfParameter(row, LIST, list.replace('4', '5'))).not.toEqual([]);
    expect(faultsOfParameter(row, MAP, map.replace('2', '3'))).not.toEqual([]);
  });
});

describe('bodies meet what docs/contract.md says', () => {
  it.each(readTable('media type in the contract'))('%s: %s %s', async (declared = '', given = '', outcome = '') => {
    const schema = { type: 'object', required: ['id'] };
    const post = operation({ requestBody: { content: { [declared]: { schema } } } });
    const server = await startBodyServer(await loadGood(documentWith({ '/it': { post } })), 1_000);
    const headers = given === 'none' ? {} : { 'content-type': given };
    const { way, text } = await send(server, '/it', headers, ['{}']);
    await server.close();
    const pointer = text.includes('"in":"body"') ? 'checked' : '400';
    expect(way === 'streamed' ? 'passes' : pointer).toBe(outcome);
  });
});

/** Whether a value fits a schema, or the schema is a fault. */
function judge(schema: unknown, value: unknown, dialect: SchemaDialect): string {
  const root = { openapi: '3.1.0', info: {}, components: { schemas: { schema, Text: { type: 'string' } } } };
  try {
    const check = new SchemaCompiler(root, dialect).compile('/components/schemas/schema');
    return check(value) === undefined ? 'fits' : 'refused';
  } catch {
    return 'fault at start';
  }
}

describe('schemas mean what docs/contract.md says', () => {
  const rows = readTable('schema').flatMap(([schema = '', value = '', in30 = '', in31 = '']) => [
    ['3.0', schema, value, in30] as const,
    ['3.1', schema, value, in31] as const,
    ['3.2', schema, value, in31] as const,
  ]);

  it.each(rows)('in %s: %s of %s %s', (version, schema, value, outcome) => {
    expect(judge(parse(schema), JSON.parse(value), { version })).toBe(outcome);
  });

  it.each(readFormats())('the format %s is checked', (format) => {
    expect(formatOfTexts(format) ?? formatOfNumbers(format)).toBeDefined();
  });

  it.each(['float', 'double', 'binary', 'password', 'idn-email', 'idn-hostname'])('the format %s is not', (format) => {
    expect(formatOfTexts(format) ?? formatOfNumbers(format)).toBeUndefined();
  });
});
