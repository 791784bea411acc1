import { describe, expect, it } from '@jest/globals';
import { findProxy, isProxyAddress } from '../../src/network/proxy-address.ts';

const PROXY = 'http://proxy.example:3128';

describe('the proxy of the environment', () => {
  it.each([
    ['https://api.example', { HTTPS_PROXY: PROXY }, PROXY],
    ['https://api.example', { https_proxy: PROXY, HTTPS_PROXY: 'http://other.example' }, PROXY],
    ['https://api.example', { https_proxy: '', HTTPS_PROXY: PROXY }, PROXY],
    ['https://api.example', { HTTP_PROXY: PROXY }, undefined],
    ['http://api.example', { HTTP_PROXY: PROXY }, PROXY],
    ['http://api.example', { HTTPS_PROXY: PROXY }, undefined],
    ['http://api.example', { ALL_PROXY: PROXY }, PROXY],
    ['http://api.example', { ALL_PROXY: 'http://all.example', http_proxy: PROXY }, PROXY],
    ['http://api.example', { HTTP_PROXY: 'proxy.example:3128' }, PROXY],
    ['http://api.example', {}, undefined],
    ['http://api.example', { HTTP_PROXY: '' }, undefined],
  ])('for %s with %j is %s', (target, env, address) => {
    expect(findProxy(new URL(target), env)?.address).toBe(address);
  });

  it('is told with the variable that names it', () => {
    expect(findProxy(new URL('https://a.example'), { https_proxy: PROXY })).toEqual({
      variable: 'https_proxy',
      address: PROXY,
    });
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1', 'https://127.9.9.9:1', 'http://[::1]:80'])(
    'never counts for %s',
    (target) => {
      expect(findProxy(new URL(target), { HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, ALL_PROXY: PROXY })).toBeUndefined();
    },
  );
});

describe('NO_PROXY', () => {
  it.each([
    ['https://api.example', '*', true],
    ['https://api.example', 'api.example', true],
    ['https://api.example', 'API.Example', true],
    ['https://api.example', 'example', false],
    ['https://api.example', '.example', true],
    ['https://api.example', '*.example', true],
    ['https://api.example', '*ample', true],
    ['https://myapi.example', 'api.example', false],
    ['https://example', '.example', false],
    ['https://api.example', 'api.example:443', true],
    ['https://api.example:8443', 'api.example:443', false],
    ['https://api.example:8443', '.example:8443', true],
    ['http://api.example', 'api.example:80', true],
    ['https://api.example', 'a.example, api.example', true],
    ['https://api.example', 'a.example\tapi.example', true],
    ['https://api.example', ' ,, ', false],
    ['https://[fd00::1]', '[fd00::1]', true],
    ['https://10.0.0.7', '10.0.0.0/8', false],
  ])('of %s by %j is %s', (target, list, exempt) => {
    const env = { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY };
    expect(findProxy(new URL(target), { ...env, NO_PROXY: list }) === undefined).toBe(exempt);
    expect(findProxy(new URL(target), { ...env, no_proxy: list, NO_PROXY: '*' }) === undefined).toBe(exempt);
  });
});

describe('the address of a proxy', () => {
  it.each([
    ['http://proxy:3128', true],
    ['https://proxy.example', true],
    ['http://user:p%40ss@proxy:3128/', true],
    ['socks5://proxy:1080', false],
    ['proxy:3128', false],
    ['http://proxy:3128/path', false],
    ['http://proxy:3128?x', false],
    ['http://us%er@proxy:3128', false],
    ['', false],
  ])('can be %j: %s', (text, can) => {
    expect(isProxyAddress(text)).toBe(can);
  });
});
