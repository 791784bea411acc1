import { describe, expect, it } from '@jest/globals';
import { read } from '../document-folder.ts';
import { documentWith, operation, type Node } from '../documents.ts';

const REF = (name: string): Node => ({ $ref: `#/components/schemas/${name}` });

/** An operation whose body is of a schema. */
function taking(schema: Node): Node {
  return operation({ requestBody: { content: { 'application/json': { schema } } } });
}

/** Reads what of a document is wanted: its GETs. */
function readGets(document: Node, files: Record<string, Node> = {}): ReturnType<typeof read> {
  return read({ 'openapi.yaml': document, ...files }, ({ method }) => method === 'get');
}

describe('a document of which only some operations are served', () => {
  it('loses the others, paths without any, and the components that only those used', async () => {
    const schemas = {
      Kept: { items: REF('Below') },
      Below: {},
      Dropped: { items: REF('DroppedBelow'), properties: { a: REF('Below') } },
      DroppedBelow: { items: REF('Dropped') },
      Mapped: {},
      Unused: {},
    };
    const kept = { ...REF('Kept'), discriminator: { propertyName: 'a', mapping: { a: 'Mapped' } } };
    const { document, lines } = await readGets(
      documentWith(
        { '/a': { get: taking(kept), post: taking(REF('Dropped')) }, '/b': { put: taking(REF('Mapped')) } },
        { components: { schemas } },
      ),
    );
    expect([lines, document?.root['paths'], document?.root['components']]).toEqual([
      [],
      { '/a': { get: taking(kept) } },
      { schemas: { Kept: schemas.Kept, Below: {}, Mapped: {}, Unused: {} } },
    ]);
  });

  it('keeps the schemas when one is called by its name', async () => {
    const schemas = { A: { $anchor: 'a' } };
    const { document } = await readGets(
      documentWith({ '/a': { get: taking({ $ref: '#a' }), post: taking(REF('A')) } }, { components: { schemas } }),
    );
    expect(document?.root['components']).toEqual({ schemas });
  });

  it('keeps the security schemes that are still asked for', async () => {
    const securitySchemes = { a: { type: 'http', scheme: 'bearer' }, b: { type: 'http', scheme: 'basic' } };
    const { document } = await readGets(
      documentWith(
        { '/a': { get: operation({ security: [{ a: [] }] }), post: operation({ security: [{ a: [], b: [] }] }) } },
        { components: { securitySchemes } },
      ),
    );
    expect(document?.root['components']).toEqual({ securitySchemes: { a: securitySchemes.a } });
  });

  it('has no faults of the others, nor of what only they use', async () => {
    const parameters = { A: { name: 'a', in: 'body' } };
    const { lines } = await readGets(
      documentWith(
        {
          '/a': {
            get: operation(),
            put: { parameters: 5 },
            post: operation({ parameters: [{ $ref: '#/components/parameters/A' }] }),
          },
          '/b': { put: operation({ requestBody: { $ref: 'https://a.example/' } }) },
        },
        { components: { parameters } },
      ),
    );
    expect(lines).toEqual([]);
  });

  it.each(['3.0.0', '3.1.0'])('is asked for path items of other files too: %s', async (openapi) => {
    const { document, lines } = await readGets(
      documentWith(
        { '/a': { $ref: 'a.yaml' }, '/b': { $ref: '#/x-items/b' } },
        { openapi, 'x-items': { b: { get: operation(), put: 5 } } },
      ),
      { 'a.yaml': { get: operation({ operationId: 'a' }), put: operation({ requestBody: { $ref: 'no.yaml' } }) } },
    );
    expect([lines, Object.values(document?.root['paths'] as Node).map((item) => Object.keys(item as Node))]).toEqual([
      [],
      [['get'], ['get']],
    ]);
  });

  it('keeps what is referred to in an operation that is not served', async () => {
    const inside = '#/paths/~1a/put/requestBody/content/application~1json/schema';
    const { document, lines } = await readGets(
      documentWith({ '/a': { get: taking({ $ref: `${inside}/items` }), put: taking({ items: { const: 1 } }) } }),
    );
    expect([lines, document?.root['paths']]).toEqual([
      [],
      { '/a': { get: taking({ $ref: '#/components/schemas/items' }) } },
    ]);
    expect(document?.root['components']).toMatchObject({ schemas: { items: { const: 1 } } });
  });

  it('is asked with the operation and its place', async () => {
    const asked: unknown[] = [];
    await read(
      { 'openapi.yaml': documentWith({ '/a': { additionalOperations: { COPY: operation() } } }, { openapi: '3.2.0' }) },
      (candidate) => {
        asked.push(candidate);
        return true;
      },
    );
    expect(asked).toEqual([
      expect.objectContaining({
        path: '/a',
        method: 'COPY',
        operation: { value: operation(), pointer: '/paths/~1a/additionalOperations/COPY' },
      }),
    ]);
  });
});
