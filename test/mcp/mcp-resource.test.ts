import { expect, it } from '@jest/globals';
import { describeMcpResource } from '../../src/mcp/mcp-resource.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

it.each([
  ['https://api.contoso.com', '/mcp', 'https://api.contoso.com', '/mcp'],
  ['https://api.contoso.com/v1', '/files/mcp', 'https://api.contoso.com', '/v1/files/mcp'],
  ['http://localhost:8080', '/mcp', 'http://localhost:8080', '/mcp'],
])('at %s the server %s is the resource of its whole address', (publicUrl, path, origin, whole) => {
  const server = { path, service: 'files', scopes: [], tools: [] };
  expect(describeMcpResource(publicUrl, server)).toEqual({
    server,
    resource: `${origin}${whole}`,
    metadataPath: `${WELL_KNOWN}${whole}`,
    metadataUrl: `${origin}${WELL_KNOWN}${whole}`,
  });
});
