import { describe, expect, it } from '@jest/globals';
import { formatOfNumbers, formatOfTexts } from '../../../src/contract/schema/formats.ts';

const LONG = 2_000_000;

describe('a text of a format', () => {
  it.each<[format: string, good: readonly string[], bad: readonly string[]]>([
    ['date', ['2024-02-29', '2026-11-30'], ['2023-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '', '২026-01-01']],
    [
      'time',
      ['12:00:00Z', '23:59:60Z', '00:59:60+01:00', '15:59:60-08:00', '12:00:00.5+02:00', '12:00:00z'],
      ['12:00:00', '24:00:00Z', '12:60:00Z', '12:00:60Z', '12:00:61Z', '1:0:0Z', '12:00:00+02', '12:00:00+24:00'],
    ],
    [
      'date-time',
      ['2026-11-29T12:00:00Z', '2026-11-29t12:00:00.123-08:00', '2016-12-31T23:59:60Z'],
      ['2026-11-29', '2026-11-29T12:00:00', '2026-11-31T00:00:00Z', '2026-11-29 12:00:00Z', '2026-11-29T12:00:00+0200'],
    ],
    ['iso-time', ['12:00:00', '12:00:00Z', '12:00:00+02', '12:00:00+0200'], ['12:00', '25:00:00']],
    ['iso-date-time', ['2026-11-29T12:00:00', '2026-11-29T12:00:00Z'], ['2026-11-29', '2026-11-29T12']],
    [
      'duration',
      ['P1Y2M3D', 'PT1H', 'P2W', 'P1DT1S', 'PT36H', 'P1M1D', 'P1YT1M', 'P0D'],
      ['P', 'PT', 'P1', '1Y', 'P1H', 'P1W1D', 'P1Y1D', 'PT1H1S', 'P1D2M', 'P1DT', 'P1.5D', 'p1d', '-P1D'],
    ],
    [
      'uri',
      ['https://a.example/b?c#d', 'urn:a:b', 'http://[::1]:80/', 'mailto:a@b.example', 'http://u:p@h'],
      ['/a', 'a b:c', 'http://a/{b}', 'http://a/%zz', 'http://[::z]/', 'http://a:b/', '', 'http://bücher.example'],
    ],
    ['uri-reference', ['/a', '', '../a?b', '#c', '//h/p', 'https://a.example'], ['a b', '\\\\a', '1:2', '#a#b', '/ä']],
    [
      'iri',
      ['http://bücher.example/ä?ö#ü', 'https://a.example', 'http://[::1]/ä', 'http://a/?\ue000', 'http://a/\u{20000}'],
      [
        '/ä',
        'http://ä b',
        'http://a/\ue000',
        'http://a/\ufffe',
        'http://a/\u{1ffff}',
        'http://[::z]/ä',
        'http://a/\n',
        '',
      ],
    ],
    ['iri-reference', ['/ä', '', '#ö', '//bücher.example?\ue000'], ['ä b', '\\\\ä', '#a#ä', '#\ue000']],
    [
      'uri-template',
      ['https://a.example/{b}', '/a{?b,c*}', '{+d:3}', '{a.b}', '{a%20b}'],
      ['{a', '}', '{}', '{a b}', '{a}}', '{a..b}', '{.}', '{a.}'],
    ],
    [
      'url',
      ['https://a.example/b%20c', 'ftp://a.example', 'http://bücher.example:8080/?q'],
      ['a.example', 'ldap://a.example', 'http://', 'http://a b', 'http://<a>'],
    ],
    [
      'email',
      [
        '"a b..@c"@d.example',
        ...`a@b.example o'neil+tag@b-c.example a@b a@[127.0.0.1] a@[IPv6:::1] "a\\"b"@c`.split(' '),
      ],
      [
        ...'a @b.example a@ a..b@c.example .a@b.example a.@b.example a@-b.example a@b.example. ä@b.example'.split(' '),
        ...'"a@b "a"b"@c a@[127.0.0.256] a@[::1] a@[x:y]'.split(' '),
        'a b@c.example',
        `${'a'.repeat(400)}@b`,
      ],
    ],
    [
      'hostname',
      [
        `${'a'.repeat(63)}.b`,
        ...'a a-b.example r3---s.example 1.2 XN--BCHER-KVA.example xn--ll-0ea xn--4dbc5h'.split(' '),
      ],
      [
        '',
        'a b',
        `${'a'.repeat(64)}.b`,
        `${'a.'.repeat(127)}a`,
        ...'. -a a- a..b a_b a. bücher.example'.split(' '),
        // What no letters stand for, a mark without a letter, a dot that is not between two l, and a mark after no Hebrew.
        ...'xn--a xn--hello-zed xn--al-0ea xn--5db1e a.xn--X.example'.split(' '),
      ],
    ],
    ['ipv4', ['127.0.0.1'], ['127.0.0', '256.0.0.1', '127.0.0.01', '1.2.3.4.5']],
    ['ipv6', ['::1', 'fe80::1', '::ffff:1.2.3.4'], ['fe80::1%eth0', '::z', '1::2::3', '']],
    [
      'uuid',
      ['c56a4180-65aa-42ec-a945-5fd21dec0538', '00000000-0000-0000-0000-000000000000'],
      ['c56a4180', 'c56a418065aa42eca9455fd21dec0538', 'urn:uuid:c56a4180-65aa-42ec-a945-5fd21dec0538', ''],
    ],
    ['json-pointer', ['', '/a~0b~1', '/'], ['a', '/~', '/~2']],
    ['json-pointer-uri-fragment', ['#', '#/a%20b'], ['', '/a', '#/%', '#/a b']],
    ['relative-json-pointer', ['0', '1/a', '2#'], ['', '-1', '01', '/a', '0##']],
    ['regex', ['^a+$', '', '\\p{L}'], ['(', '*', 'a\\Z', '\\a', '{']],
    ['byte', ['', 'YQ==', 'YWI=', 'YWJj'], ['YQ', 'Y===', 'YQ=a', 'Y Q=']],
  ])('%s', (format, good, bad) => {
    const fits = formatOfTexts(format);
    expect(good.filter((text) => fits?.(text) !== true)).toEqual([]);
    expect(bad.filter((text) => fits?.(text) === true)).toEqual([]);
  });

  it('that is none, or says nothing of the text, is anything', () => {
    expect(['password', 'binary', 'idn-hostname', 'phone', 'constructor', '__proto__'].map(formatOfTexts)).toEqual(
      Array.from({ length: 6 }),
    );
  });

  const formats = [
    'date',
    'time',
    'date-time',
    'duration',
    'uri',
    'uri-reference',
    'iri',
    'iri-reference',
    'iso-date-time',
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

describe('a number of a format', () => {
  it.each<[format: string, good: readonly number[], bad: readonly number[]]>([
    ['int8', [-128, 127], [-129, 128, 1.5]],
    ['uint8', [0, 255], [-1, 256]],
    ['int16', [-32_768, 32_767], [-32_769, 32_768]],
    ['uint16', [65_535], [-1, 65_536]],
    ['int32', [-2_147_483_648, 2_147_483_647, 1e3], [-2_147_483_649, 2_147_483_648, 0.5, 1e300]],
    ['uint32', [4_294_967_295], [-1, 4_294_967_296]],
    // JavaScript reads 9223372036854775807 as 2 ** 63, and the next number that it has is far beyond.
    ['int64', [2 ** 53 + 2, 2 ** 63, -(2 ** 63)], [2 ** 63 + 2_048, -(2 ** 63) - 2_048, 0.5, 1e19]],
    ['uint64', [0, 2 ** 64], [-1, 2 ** 64 + 4_096]],
  ])('%s', (format, good, bad) => {
    const fits = formatOfNumbers(format);
    expect(good.filter((value) => fits?.(value) !== true)).toEqual([]);
    expect(bad.filter((value) => fits?.(value) === true)).toEqual([]);
  });

  it('that says nothing of the number is any', () => {
    expect(['float', 'double', 'decimal', 'constructor'].map(formatOfNumbers)).toEqual(Array.from({ length: 4 }));
  });
});
