import { describe, expect, it } from '@jest/globals';
import { renderJunit } from '../../src/syntax/junit.ts';

describe('a report as JUnit XML', () => {
  it('has a suite for each name, with its sums and its time in seconds', () => {
    const cases = [
      { suite: 'a', name: 'one', durationMs: 1_500 },
      { suite: 'b', name: 'two', failure: 'expected 1' },
      { suite: 'a', name: 'three', durationMs: 4, skipped: 'no token' },
    ];
    expect(renderJunit('all', cases, new Map([['a', 'remark']])).split('\n')).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="all" tests="3" failures="1" errors="0" skipped="1" time="1.504">',
      '  <testsuite name="a" tests="2" failures="0" errors="0" skipped="1" time="1.504">',
      '    <testcase classname="a" name="one" time="1.500"/>',
      '    <testcase classname="a" name="three" time="0.004">',
      '      <skipped message="no token"/>',
      '    </testcase>',
      '    <system-out>remark</system-out>',
      '  </testsuite>',
      '  <testsuite name="b" tests="1" failures="1" errors="0" skipped="0" time="0.000">',
      '    <testcase classname="b" name="two" time="0.000">',
      '      <failure message="expected 1"/>',
      '    </testcase>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ]);
  });

  it.each([
    ['markup', `<a b="c" d='e'>&`, '&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;'],
    ['the end of a section', ']]>', ']]&gt;'],
    ['lines', 'a\r\n\tb', 'a&#13;&#10;&#9;b'],
    ['what XML has no way to write', 'a\u0000\u001b[2J\ufffe\ud800b', 'a\ufffd\ufffd[2J\ufffd\ufffdb'],
    ['other scripts', 'Zoë 😀', 'Zoë 😀'],
  ])('writes %s so that it stays text', (_case, text, written) => {
    const xml = renderJunit(text, [{ suite: text, name: text, failure: text }]);
    expect(xml.split(`"${written}"`)).toHaveLength(6);
  });

  it('is one without tests, too', () => {
    expect(renderJunit('none', [])).toContain('<testsuites name="none" tests="0"');
  });
});
