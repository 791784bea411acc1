import { describe, expect, it } from '@jest/globals';
import type { Contract } from '../../../src/contract/contract.ts';
import { documentWith, load, loadGood, operation, pathParameter, SCHEMES, type Node } from '../documents.ts';
import { sourceOf } from '../parameter-source.ts';

/** A document with one `POST /it` and these components. */
function withComponents(changes: Node, components: Node): Node {
  return documentWith(
    { '/it': { post: operation(changes) } },
    { components: { securitySchemes: SCHEMES, ...components } },
  );
}

/** What the check of the JSON body of the only operation says of a value. */
function checkBody({ operations }: Contract, value: unknown): unknown {
  return operations[0]?.body?.mediaTypes[0]?.json?.(value);
}

/** A body of a schema. */
function json(schema: Node): Node {
  return { content: { 'application/json': { schema } } };
}

const NUMBER_IN_QUERY = { name: 'n', in: 'query', schema: { $ref: '#/components/schemas/N' } };
const QUERY = sourceOf({ query: '?n=x' });

describe('$ref', () => {
  it('leads to a parameter and on to its schema', async () => {
    const { operations } = await loadGood(
      withComponents(
        { parameters: [{ $ref: '#/components/parameters/Alias' }] },
        {
          parameters: { Alias: { $ref: '#/components/parameters/N' }, N: NUMBER_IN_QUERY },
          schemas: { N: { type: 'integer' } },
        },
      ),
    );
    expect(operations[0]?.parameters.flatMap((check) => check(QUERY))).toEqual([
      { in: 'query', name: 'n', detail: 'must be integer' },
    ]);
  });

  it('leads to a body and on to its schema', async () => {
    const contract = await loadGood(
      withComponents(
        { requestBody: { $ref: '#/components/requestBodies/It' } },
        { requestBodies: { It: json({ $ref: '#/components/schemas/N' }) }, schemas: { N: { type: 'integer' } } },
      ),
    );
    expect([checkBody(contract, 5), checkBody(contract, 'x')]).toEqual([
      undefined,
      [{ pointer: '', detail: 'must be integer' }],
    ]);
  });

  it('leads to a path item', async () => {
    const { operations } = await loadGood(
      documentWith(
        { '/it': { $ref: '#/components/pathItems/It' } },
        { components: { securitySchemes: SCHEMES, pathItems: { It: { get: operation({ operationId: 'readIt' }) } } } },
      ),
    );
    expect(operations.map(({ name }) => name)).toEqual(['readIt']);
  });

  it('may go round in a schema, which is how trees are described', async () => {
    const tree = {
      type: 'object',
      properties: { children: { type: 'array', items: { $ref: '#/components/schemas/T' } } },
    };
    const contract = await loadGood(
      withComponents({ requestBody: json({ $ref: '#/components/schemas/T' }) }, { schemas: { T: tree } }),
    );
    expect(checkBody(contract, { children: [{ children: [{}, { children: 5 }] }] })).toEqual([
      { pointer: '/children/0/children/1/children', detail: 'must be array' },
    ]);
  });

  it.each([
    ['with ~1 for a slash', '#/paths/~1a/get/parameters/0'],
    ['percent-encoded, as a URI demands', '#/paths/~1a~1%7Bid%7D/get/parameters/1'],
  ])('may point into the paths, %s', async (_case, $ref) => {
    const n = { name: 'n', in: 'query', schema: { type: 'integer' } };
    const { operations } = await loadGood(
      documentWith({
        '/a': { get: operation({ parameters: [n] }) },
        '/a/{id}': { get: operation({ parameters: [pathParameter('id'), n] }) },
        '/it': { get: operation({ parameters: [{ $ref }] }) },
      }),
    );
    expect(operations[2]?.parameters.flatMap((check) => check(QUERY))).toHaveLength(1);
  });

  it('may name a component whose name needs escapes', async () => {
    const schema = { type: 'object', properties: { 'a/b~c d%': { type: 'integer' } } };
    const contract = await loadGood(
      withComponents(
        { requestBody: json({ $ref: '#/components/schemas/T/properties/a~1b~0c%20d%25' }) },
        { schemas: { T: schema } },
      ),
    );
    expect(checkBody(contract, 'x')).toEqual([{ pointer: '', detail: 'must be integer' }]);
  });
});

describe('a $ref that leads', () => {
  const parameters = {
    A: { $ref: '#/components/parameters/B' },
    B: { $ref: '#/components/parameters/A' },
  };

  it.each([
    [
      'nowhere',
      '#/components/parameters/Nobody',
      /the reference #\/components\/parameters\/Nobody,? (?:which )?leads nowhere$/,
    ],
    ['to another host', 'https://a.example/x', /the reference https:\/\/a\.example\/x leaves the document/],
  ])('%s is a fault that names it, wherever it stands', async (_case, $ref, message) => {
    const places = [{ parameters: [{ $ref }] }, { requestBody: { $ref } }, { requestBody: json({ items: { $ref } }) }];
    const loaded = await Promise.all(places.map((changes) => load(withComponents(changes, {}))));
    expect(loaded.map(({ lines }) => lines)).toEqual(
      ['/parameters/0', '/requestBody', '/requestBody/content/application~1json/schema/items'].map(() => [
        expect.stringMatching(message),
      ]),
    );
  });

  it.each([
    ['into a prototype', '#/constructor', 'the reference #/constructor leads nowhere'],
    ['round in circles', '#/components/parameters/A', expect.stringMatching(/goes round in circles$/)],
  ])('%s is a fault that names the operation', async (_case, $ref, message) => {
    const { faults } = await load(withComponents({ parameters: [{ $ref }] }, { parameters }));
    expect(faults).toContainEqual({ at: 'contract POST /it /parameters/0', message });
  });

  it('round in circles from a schema is a fault', async () => {
    const { lines } = await load(
      withComponents({ parameters: [NUMBER_IN_QUERY] }, { schemas: { N: { $ref: '#/components/schemas/N' } } }),
    );
    expect(lines).toEqual([expect.stringMatching(/^contract POST \/it: .*leads back to itself/)]);
  });

  it('round in circles from the schema of a body is a fault', async () => {
    const { lines } = await load(
      withComponents(
        { requestBody: json({ $ref: '#/components/schemas/N' }) },
        { schemas: { N: { $ref: '#/components/schemas/M' }, M: { $ref: '#/components/schemas/N' } } },
      ),
    );
    expect(lines).toEqual([expect.stringMatching(/^contract POST \/it: /)]);
  });
});
