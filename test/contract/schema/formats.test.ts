import { describe, expect, it } from '@jest/globals';
import { formatOfTexts } from '../../../src/contract/schema/formats.ts';

const LONG = 2_000_000;

describe('a text of a format', () => {
  it.each<[format: string, good: readonly string[], bad: readonly string[]]>([
    ['date', ['2024-02-29', '2026-11-30'], ['2023-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '']],
    [
      'time',
      ['12:00:00Z', '23:59:60Z', '00:59:60+01:00', '12:00:00.5+02:00'],
      ['12:00:00', '24:00:00Z', '12:00:60Z', '1:0:0Z'],
    ],
    [
      'date-time',
      ['2026-11-29T12:00:00Z', '2026-11-29t12:00:00.123-08:00'],
      ['2026-11-29', '2026-11-29T12:00:00', '2026-11-31T00:00:00Z'],
    ],
    ['duration', ['P1Y2M3D', 'PT1H', 'P2W', 'P1DT1S'], ['P', 'PT', 'P1', '1Y', 'P1H', 'P1W1D']],
    [
      'uri',
      ['https://a.example/b?c#d', 'urn:a:b', 'http://[::1]:80/', 'mailto:a@b.example', 'http://u:p@h'],
      ['/a', 'a b:c', 'http://a/{b}', 'http://a/%zz', 'http://[::z]/', 'http://a:b/', ''],
    ],
    ['uri-reference', ['/a', '', '../a?b', '#c', '//h/p', 'https://a.example'], ['a b', '\\\\a', '1:2', '#a#b']],
    ['uri-template', ['https://a.example/{b}', '/a{?b,c*}', '{+d:3}'], ['{a', '}', '{}', '{a b}', '{a}}']],
    [
      'url',
      ['https://a.example/b c'.replace(' ', '%20'), 'ftp://a.example', 'http://bücher.example:8080/?q'],
      ['a.example', 'ldap://a.example', 'http://', 'http://a b', 'http://<a>'],
    ],
    [
      'email',
      ['a@b.example', "o'neil+tag@b-c.example"],
      ['a', '@b.example', 'a@', 'a..b@c.example', '.a@b.example', 'a@b', 'a b@c.example', 'a@-b.example'],
    ],
    ['hostname', ['a', 'a-b.example', 'xn--a.example'], ['', '-a', 'a-', 'a..b', `${'a'.repeat(64)}.b`, 'a_b']],
    ['ipv4', ['127.0.0.1'], ['127.0.0', '256.0.0.1', '127.0.0.01', '1.2.3.4.5']],
    ['ipv6', ['::1', 'fe80::1', '::ffff:1.2.3.4'], ['fe80::1%eth0', '::z', '1::2::3', '']],
    ['uuid', ['c56a4180-65aa-42ec-a945-5fd21dec0538'], ['c56a4180', 'c56a418065aa42eca9455fd21dec0538', '']],
    ['json-pointer', ['', '/a~0b~1', '/'], ['a', '/~', '/~2']],
    ['json-pointer-uri-fragment', ['#', '#/a%20b'], ['', '/a', '#/%', '#/a b']],
    ['relative-json-pointer', ['0', '1/a', '2#'], ['', '-1', '01', '/a', '0##']],
    ['regex', ['^a+$', ''], ['(', '*', 'a\\Z']],
    ['byte', ['', 'YQ==', 'YWI=', 'YWJj'], ['YQ', 'Y===', 'YQ=a', 'Y Q=']],
  ])('%s', (format, good, bad) => {
    const fits = formatOfTexts(format);
    expect(good.filter((text) => fits?.(text) !== true)).toEqual([]);
    expect(bad.filter((text) => fits?.(text) === true)).toEqual([]);
  });

  it('that is none, or says nothing of the text, is anything', () => {
    expect(['password', 'binary', 'phone', 'constructor', '__proto__'].map((name) => formatOfTexts(name))).toEqual(
      Array.from({ length: 5 }),
    );
  });

  const formats = [
    'date',
    'time',
    'date-time',
    'duration',
    'uri',
    'uri-reference',
    'uri-template',
    'url',
    'email',
    'hostname',
    'ipv6',
    'uuid',
    'json-pointer',
    'relative-json-pointer',
    'regex',
    'byte',
  ];
  it.each(formats)('%s is found out in no endless work', (format) => {
    const starts = ['', 'http://', 'http://a@', 'a@', '/', '{', 'P', '12:00:00.', '2026-11-29T'];
    const repeated = ['a', '1', '.', ':', ' ', 'a.', 'a-', '~0/', '{a}', '%20', '(', '\\', '::', 'a:1@'];
    for (const start of starts) {
      for (const piece of repeated) {
        expect(typeof formatOfTexts(format)?.(`${start}${piece.repeat(LONG / 20 / piece.length)}!`)).toBe('boolean');
      }
    }
  });
});
