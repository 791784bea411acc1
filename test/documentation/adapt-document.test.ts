import { describe, expect, it } from '@jest/globals';

// The page's own scripts are JavaScript, which only browsers load otherwise.
const SCRIPT: string = '../../src/documentation/page/adapt-document.js';
const { adaptDocument, listScopes } = (await import(SCRIPT)) as {
  readonly adaptDocument: (document: object, signIn: object | undefined) => Published;
  readonly listScopes: (document: object) => string[];
};

interface Published {
  readonly security?: unknown;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, unknown>> };
}

const SIGN_IN = {
  clientId: '8c5f2a17-6d3e-4b90-a2f8-1e7c9b04d356',
  authorizationUrl: 'https://login.example/authorize',
  tokenUrl: 'https://login.example/token',
  resource: 'api://orders',
};
const FLOW = { authorizationUrl: SIGN_IN.authorizationUrl, tokenUrl: SIGN_IN.tokenUrl };
const PASTED = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '' };
const API_KEY = { type: 'apiKey', in: 'header', name: 'x-key' };

function signedIn(scopes: object): object {
  return { type: 'oauth2', description: '', flows: { authorizationCode: { ...FLOW, scopes } } };
}

function oauth2(flow: string, scopes: object): object {
  return { type: 'oauth2', flows: { [flow]: { scopes } } };
}

function adapt(scheme: object, scopes: readonly string[], signIn: object | undefined): unknown {
  const document = {
    paths: { '/a': { get: { security: [{ scheme: scopes }] } } },
    components: { securitySchemes: { scheme } },
  };
  return adaptDocument(document, signIn).components.securitySchemes['scheme'];
}

const EVERYTHING = { 'api://orders/.default': 'Everything that this page may do' };

describe('what a scheme becomes where people can sign in', () => {
  it.each([
    {
      what: 'an authorization code',
      scheme: oauth2('authorizationCode', { 'api://orders/Read': 'Read' }),
      scopes: ['api://orders/Read'],
      becomes: signedIn({ 'api://orders/Read': 'Read' }),
    },
    {
      what: 'a flow that is not for pages',
      scheme: oauth2('deviceAuthorization', { Read: 'Read' }),
      scopes: ['Read'],
      becomes: signedIn({ 'api://orders/Read': 'Read' }),
    },
    { what: 'no scopes', scheme: oauth2('implicit', {}), scopes: [], becomes: signedIn(EVERYTHING) },
    {
      what: 'OpenID Connect',
      scheme: { type: 'openIdConnect', openIdConnectUrl: 'https://login.example/' },
      scopes: ['Read'],
      becomes: signedIn({ 'api://orders/Read': '' }),
    },
    { what: 'a bearer token', scheme: { type: 'http', scheme: 'Bearer' }, scopes: [], becomes: signedIn(EVERYTHING) },
    { what: 'a flow for apps', scheme: oauth2('clientCredentials', {}), scopes: ['Read.All'], becomes: PASTED },
    { what: 'an API key', scheme: API_KEY, scopes: [], becomes: API_KEY },
  ])('$what', ({ scheme, scopes, becomes }) => {
    expect(adapt(scheme, scopes, SIGN_IN)).toEqual(becomes);
  });
});

describe('what a scheme becomes where they cannot', () => {
  it.each([
    { scheme: oauth2('authorizationCode', { Read: 'Read' }), becomes: PASTED },
    { scheme: { type: 'openIdConnect', openIdConnectUrl: 'https://login.example/' }, becomes: PASTED },
    { scheme: { type: 'http', scheme: 'bearer' }, becomes: PASTED },
    { scheme: { type: 'http', scheme: 'basic' }, becomes: { type: 'http', scheme: 'basic' } },
    { scheme: API_KEY, becomes: API_KEY },
  ])('$scheme.type', ({ scheme, becomes }) => {
    expect(adapt(scheme, [], undefined)).toEqual(becomes);
  });
});

describe('the scopes of a document', () => {
  const document = {
    security: [{ user: ['Root'] }],
    paths: {
      '/a': {
        summary: 'A',
        parameters: [],
        get: { security: [{ user: ['Read'] }, {}] },
        put: { summary: 'as the root' },
      },
      '/b': { additionalOperations: { LINK: { security: [{ user: ['api://orders/Link'] }] } } },
    },
    components: { securitySchemes: { user: oauth2('authorizationCode', { Unused: 'Nobody asks for it' }) } },
  };

  it('are those that its operations ask for', () => {
    expect(listScopes(adaptDocument(document, SIGN_IN))).toEqual([
      'api://orders/Root',
      'api://orders/Read',
      'api://orders/Link',
    ]);
  });

  it('are named alike wherever they stand', () => {
    const { security, paths } = adaptDocument(document, SIGN_IN);
    expect([security, paths['/a']?.['get'], paths['/a']?.['put'], paths['/b']]).toEqual([
      [{ user: ['api://orders/Root'] }],
      { security: [{ user: ['api://orders/Read'] }, {}] },
      { summary: 'as the root' },
      { additionalOperations: { LINK: { security: [{ user: ['api://orders/Link'] }] } } },
    ]);
  });

  it('are none where nobody can sign in', () => {
    expect(listScopes(adaptDocument(document, undefined))).toEqual([]);
  });

  it('are none of a document without schemes', () => {
    expect(adaptDocument({ paths: {} }, SIGN_IN)).toEqual({
      paths: {},
      components: { pathItems: {}, securitySchemes: {} },
    });
  });
});
