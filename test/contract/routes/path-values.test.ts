import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileFill, parseTemplate } from '../../../src/contract/routes/path-template.ts';
import { RouteTable } from '../../../src/contract/routes/route-table.ts';
import { GatewayError } from '../../../src/failures.ts';

const DISGUISES = 'must not hold dot segments, empty segments, backslashes, control characters or a second encoding';
const BROKEN = 'must be percent-encoded UTF-8';

/** Sends a value through `/files/{path}` to `/store/{path}`, the parameter taking one segment or the rest. */
function send(encoded: string, multiSegment: boolean): { value: string; path: string } {
  const routes = new RouteTable<string>();
  routes.add('GET', '/files/{path}', multiSegment, 'it');
  const { values, encoded: filled } = routes.match('GET', `/files/${encoded}`);
  const fill = compileFill(parseTemplate('/store/{path}'));
  return { value: [values['path'] ?? []].flat().join('/'), path: fill(filled) };
}

/** What is said against a value. */
function objectionTo(encoded: string, multiSegment: boolean): unknown {
  try {
    return send(encoded, multiSegment);
  } catch (error) {
    return error instanceof GatewayError ? [error.code, error.facts.errors] : error;
  }
}

describe('a hostile value is refused, in one segment and in the rest of the path', () => {
  it.each<[string, string]>([
    ['.', DISGUISES],
    ['..%20', DISGUISES],
    ['..;', DISGUISES],
    ['..;x=1', DISGUISES],
    ['.;x', DISGUISES],
    ['%2e%2e;', DISGUISES],
    ['..%3b', DISGUISES],
    ['..%20;x', DISGUISES],
    ['a%2f..;x%2fb', DISGUISES],
    [';', DISGUISES],
    [';..', DISGUISES],
    ['a%2f;x', DISGUISES],
    ['%20..', DISGUISES],
    ['..', DISGUISES],
    ['%2e', DISGUISES],
    ['%2e%2e', DISGUISES],
    ['.%2E', DISGUISES],
    ['..%2fa', DISGUISES],
    ['a%2f..', DISGUISES],
    ['a%2f..%2fb', DISGUISES],
    ['a%2f.%2fb', DISGUISES],
    ['%252e', DISGUISES],
    ['%252e%252e%252f', DISGUISES],
    ['%25%32%65', DISGUISES],
    ['a%2541', DISGUISES],
    ['%2fa', DISGUISES],
    ['%2f%2fa', DISGUISES],
    ['a%2f%2fb', DISGUISES],
    ['a%5cb', DISGUISES],
    ['..%5c..', DISGUISES],
    [String.raw`a\b`, DISGUISES],
    ['%00', DISGUISES],
    ['a%00.png', DISGUISES],
    ['a%0d%0ab', DISGUISES],
    ['%09', DISGUISES],
    ['%7f', DISGUISES],
    ['%c2%85', DISGUISES],
    ['%', BROKEN],
    ['%2', BROKEN],
    ['%zz', BROKEN],
    ['%c0%ae', BROKEN],
    ['%c0%af', BROKEN],
    ['%ff', BROKEN],
    ['%ed%a0%80', BROKEN],
    ['%u002e', BROKEN],
  ])('%s', (encoded, detail) => {
    const refused = ['invalid_request', [{ in: 'path', name: 'path', detail }]];
    expect([objectionTo(encoded, false), objectionTo(encoded, true)]).toEqual([refused, refused]);
  });

  it.each([
    '../a',
    'a/../b',
    'a/..',
    'a/..;/b',
    'a/..;x=1/b',
    'a/;x/b',
    '.;/a',
    './a',
    'a/./b',
    'a//b',
    '/a',
    'a/%2e%2e/b',
    'a/%2e./b',
    'a//',
    '%2e%2e/%2e%2e',
  ])('in the rest of the path: %s', (encoded) => {
    expect(objectionTo(encoded, true)).toEqual(['invalid_request', [{ in: 'path', name: 'path', detail: DISGUISES }]]);
  });
});

/** Sends a value through `/files/{color}` to `/store/{color}`, where the parameter may be of the style matrix. */
function sendMatrix(encoded: string, matrix: ReadonlySet<string>): unknown {
  const routes = new RouteTable<string>();
  routes.add('GET', '/files/{color}', false, 'it', matrix);
  try {
    return compileFill(parseTemplate('/store/{color}'))(routes.match('GET', `/files/${encoded}`).encoded);
  } catch (error) {
    return error instanceof GatewayError ? error.code : error;
  }
}

describe('a value of the style matrix', () => {
  it.each([';color=blue', ';color=a%2Cb,c', ';R=1;G=2', ';color'])('begins with a semicolon: %s', (encoded) => {
    expect(sendMatrix(encoded, new Set(['color']))).toBe(`/store/${encoded}`);
    expect(sendMatrix(encoded, new Set(['other']))).toBe('invalid_request');
  });

  it.each([';;', ';..', ';.;color=1', ';%2e%2e', ';/x', ';%2Fx', ';%5C', '%3Bcolor=blue', '..;color=1', ';%252e'])(
    'is as strict after it: %s',
    (encoded) => {
      expect(sendMatrix(encoded, new Set(['color']))).not.toMatch(/^\/store/);
    },
  );
});

describe('a good value is filled in encoded', () => {
  it.each([
    ['42', '42', '42'],
    ['a%20b', 'a b', 'a%20b'],
    ['a+b', 'a+b', 'a+b'],
    ['%C3%A9%F0%9F%98%80', 'é😀', '%C3%A9%F0%9F%98%80'],
    ['a..b', 'a..b', 'a..b'],
    ['...', '...', '...'],
    ['.a', '.a', '.a'],
    ['%25', '%', '%25'],
    ['100%25', '100%', '100%25'],
    ['%25zz', '%zz', '%25zz'],
    ['a%3Fb%23c', 'a?b#c', 'a%3Fb%23c'],
    ['a;b=c', 'a;b=c', 'a;b=c'],
    ['a:b@c', 'a:b@c', 'a:b@c'],
    ['a%3Ab%40c%2c', 'a:b@c,', 'a%3Ab%40c%2C'],
    ['%41%2D%7e', 'A-~', 'A-~'],
    ['(5)', '(5)', '(5)'],
    ['root:', 'root:', 'root:'],
    ['a{b}|c"', 'a{b}|c"', 'a%7Bb%7D%7Cc%22'],
    ['%7Bid%7D', '{id}', '%7Bid%7D'],
    ['__proto__', '__proto__', '__proto__'],
  ])('%s', (encoded, value, filled) => {
    const sent = { value, path: `/store/${filled}` };
    expect([send(encoded, false), send(encoded, true)]).toEqual([sent, sent]);
  });

  it('keeps an encoded slash encoded in one segment', () => {
    expect(send('a%2Fb', false)).toEqual({ value: 'a/b', path: '/store/a%2Fb' });
  });

  it('keeps the slashes of the rest of the path', () => {
    expect(send('a/b%20c/d/', true)).toEqual({ value: 'a/b c/d/', path: '/store/a/b%20c/d/' });
  });
});

describe('an encoded slash in the rest of the path', () => {
  it('never becomes a slash: a request that did not match /files/admin/{x} must not be sent there', () => {
    const routes = new RouteTable<string>();
    routes.add('GET', '/files/admin/{x}', false, 'for administrators');
    routes.add('GET', '/files/{path}', true, 'for everybody');
    const fill = compileFill(parseTemplate('/files/{path}'));
    const reached = ['admin%2Fx', 'admin%2fx', '%61dmin%2Fx'].map((rest) => {
      try {
        const { entry, encoded } = routes.match('GET', `/files/${rest}`);
        return [entry, fill(encoded)];
      } catch (error) {
        return (error as GatewayError).code;
      }
    });
    expect(reached).not.toContainEqual(['for everybody', '/files/admin/x']);
  });
});

describe('a template may use a value', () => {
  it.each([
    ['/v1/{id}', '/v1/a%2Fb'],
    ['/{id}/x/{id}', '/a%2Fb/x/a%2Fb'],
    ['/items({id})', '/items(a%2Fb)'],
    ['/plain', '/plain'],
  ])('in %s', (template, path) => {
    expect(compileFill(parseTemplate(template))({ id: 'a%2Fb' })).toBe(path);
  });
});

const DANGEROUS = ['/', '.', '..', '%', '2e', '25', '\\', '\0', ' ', '?', '#', ';', '{', '}'];

/** Texts in which what is dangerous is frequent. */
const texts = fc
  .array(fc.oneof(fc.constantFrom(...DANGEROUS), fc.string({ unit: 'grapheme', maxLength: 4 })), { maxLength: 8 })
  .map((parts) => parts.join(''));

/** What a value became downstream; `undefined` when it was refused. */
function sendIfAccepted(encoded: string, multiSegment: boolean): string | undefined {
  try {
    return send(encoded, multiSegment).path;
  } catch (error) {
    if (error instanceof GatewayError) {
      return undefined;
    }
    throw error;
  }
}

/** Checks what holds for every value that is accepted; a slash in it is sent as `%2F` or as it is. */
function forEveryAccepted(
  ways: readonly { slash: string; multiSegment: boolean }[],
  holds: (value: string, path: string, encoded: string) => void,
): void {
  let count = 0;
  fc.assert(
    fc.property(texts, fc.constantFrom(...ways), (value, { slash, multiSegment }) => {
      const encoded = value.split('/').map(encodeURIComponent).join(slash);
      const path = sendIfAccepted(encoded, multiSegment);
      fc.pre(path !== undefined);
      count += 1;
      holds(value, path, encoded);
    }),
    { numRuns: 1_000 },
  );
  expect(count).toBeGreaterThan(100);
}

const ONE_SEGMENT = { slash: '%2F', multiSegment: false };
const REST = { slash: '/', multiSegment: true };
const REST_WITH_ENCODED_SLASHES = { slash: '%2F', multiSegment: true };

describe('whatever the value, when it is accepted', () => {
  it('means the same after it was filled in', () => {
    forEveryAccepted([ONE_SEGMENT, REST], (value, path) => {
      expect(decodeURIComponent(path.slice('/store/'.length))).toBe(value);
    });
  });

  it('can be sent once more through the same table, and stays the same', () => {
    forEveryAccepted([ONE_SEGMENT], (_value, path) => {
      expect(send(path.slice('/store/'.length), false).path).toBe(path);
    });
    forEveryAccepted([REST], (_value, path) => {
      expect(send(path.slice('/store/'.length), true).path).toBe(path);
    });
  });

  it('leads nowhere else for a server that resolves dot segments and backslashes', () => {
    forEveryAccepted([ONE_SEGMENT, REST], (_value, path) => {
      expect(new URL(path, 'http://a').pathname).toBe(path);
    });
  });

  it('leads below the same folder for a server that decodes the path before it resolves it', () => {
    forEveryAccepted([ONE_SEGMENT, REST], (value) => {
      const { pathname } = new URL(`http://a/store/${value.replaceAll(/[?#]/g, '_')}`);
      expect([pathname.startsWith('/store/'), pathname.split('/').length]).toEqual([true, value.split('/').length + 2]);
    });
  });

  it('has as many segments as it had', () => {
    forEveryAccepted([ONE_SEGMENT, REST, REST_WITH_ENCODED_SLASHES], (_value, path, encoded) => {
      expect(path.split('/').length).toBe(encoded.split('/').length + 2);
    });
  });
});
