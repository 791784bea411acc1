import { describe, expect, it } from '@jest/globals';
import { parseRedisAddress, RedisAddressError } from '../../src/redis/redis-address.ts';

const SENTINEL_LOGIN = { username: undefined, password: undefined };

describe('an address of Redis', () => {
  it.each<[string, object]>([
    [
      'redis://cache',
      { place: { kind: 'server', node: { host: 'cache', port: 6379 } }, database: 0, encrypted: false },
    ],
    ['redis://cache:7000/3', { place: { kind: 'server', node: { host: 'cache', port: 7000 } }, database: 3 }],
    ['redis://[::1]:7000', { place: { kind: 'server', node: { host: '::1', port: 7000 } } }],
    ['rediss://cache:6380', { encrypted: true, shown: 'rediss://cache:6380' }],
    ['redis://:secret@cache', { username: undefined, password: 'secret', shown: 'redis://cache' }],
    ['redis://me:p%40ss%2Fw%3Ard@cache/1', { username: 'me', password: 'p@ss/w:rd', shown: 'redis://cache/1' }],
    ['redis+unix:///run/redis.sock', { place: { kind: 'socket', path: '/run/redis.sock' }, database: 0 }],
    [
      'redis+unix:///run/redis.sock?db=2&username=me&password=a+b%26c',
      { username: 'me', password: 'a+b&c', database: 2, shown: 'redis+unix:///run/redis.sock' },
    ],
    [
      'redis+cluster://me:secret@a:7000,b:7001,[::1]',
      {
        place: {
          kind: 'cluster',
          nodes: [
            { host: 'a', port: 7000 },
            { host: 'b', port: 7001 },
            { host: '::1', port: 6379 },
          ],
        },
        username: 'me',
        password: 'secret',
        shown: 'redis+cluster://a:7000,b:7001,[::1]',
      },
    ],
    [
      'rediss+sentinel://a:7000,b/the%20primary/4',
      {
        place: {
          kind: 'sentinel',
          nodes: [
            { host: 'a', port: 7000 },
            { host: 'b', port: 26_379 },
          ],
          primary: 'the primary',
          ...SENTINEL_LOGIN,
        },
        database: 4,
        encrypted: true,
      },
    ],
    [
      'redis+sentinel://me:secret@a/mymaster?sentinelUsername=watch&sentinelPassword=me',
      {
        place: { kind: 'sentinel', primary: 'mymaster', username: 'watch', password: 'me' },
        username: 'me',
        password: 'secret',
        shown: 'redis+sentinel://a/mymaster',
      },
    ],
  ])('%s is understood', (text, expected) => {
    expect(parseRedisAddress(text)).toMatchObject(expected);
  });

  it.each<[string, string]>([
    ['', 'redis://user:password@host:6379/0'],
    ['cache:6379', 'redis://user:password@host:6379/0'],
    ['http://cache', 'redis://user:password@host:6379/0'],
    ['redis+socket:///run/redis.sock', 'redis+unix://'],
    ['redis://', 'each host with a port from 1 to 65535'],
    ['redis://cache:0', 'each host with a port from 1 to 65535'],
    ['redis://cache:65536', 'each host with a port from 1 to 65535'],
    ['redis://cache:', 'each host with a port from 1 to 65535'],
    ['redis://a,b', 'one host'],
    ['redis://cache/name', 'a number for the database'],
    ['redis://cache/0/1', 'nothing after the number'],
    ['redis://cache?db=1', 'no query'],
    ['redis://s3cr3t:s3:cr3t@cache', '%3A'],
    ['redis://:s3cr3t@s3cr3t@cache', 'percent-encoded'],
    ['redis://:s3/cr3t@cache', 'percent-encoded'],
    ['redis://:s3%cr3t@cache', '%25'],
    ['redis+unix://host/run/redis.sock', 'without a host'],
    ['rediss+unix:///run/redis.sock', 'without a host and TLS'],
    ['redis+unix:///', 'a path'],
    ['redis+sentinel://a,b', 'the name of the primary'],
    ['redis+sentinel://a/mymaster/x', 'a number for the database'],
    ['redis+sentinel://a/mymaster?password=s3cr3t', 'sentinelUsername, sentinelPassword'],
    ['redis+cluster://a,b/1', 'no database'],
    ['redis+cluster://a,,b', 'each host'],
  ])('%j is refused', (text, allowed) => {
    expect(() => parseRedisAddress(text)).toThrow(allowed);
  });

  it('is refused without being quoted', () => {
    const reasons = ['redis://s3cr3t:s3:cr3t@cache', 'redis://:s3%cr3t@cache', 's3cr3t'].map((text) => {
      try {
        return parseRedisAddress(text).shown;
      } catch (error) {
        return error instanceof RedisAddressError ? error.message : '';
      }
    });
    expect(reasons.join('\n')).not.toMatch(/s3|cr3t/);
  });
});
