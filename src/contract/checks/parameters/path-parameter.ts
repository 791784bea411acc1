import type { Declaration } from './declaration.ts';
import { toMap } from './delimited.ts';
import type { QueryPair } from './query.ts';
import { readRepeated, readWhole, type Reading, type ReadParameter } from './reading.ts';
import { cutAt, textInPath } from './source.ts';

const IN_PATH = { decode: decodeURIComponent, takesEncoded: true, isEncoded: false } as const;

/** Makes the reader of a parameter of the path: `simple`, `label` or `matrix`. */
export function compilePath(declaration: Declaration): ReadParameter {
  const { name, style } = declaration;
  const read = style === 'matrix' ? readMatrix : style === 'label' ? readLabel : readSimple;
  return (source) => {
    const decoded = textInPath(source, name);
    return decoded === undefined ? undefined : read(declaration, source.encodedPath[name] ?? '', decoded);
  };
}

function readSimple(declaration: Declaration, text: string, decoded: string): Reading {
  const { kinds } = declaration;
  return kinds.has('array') || kinds.has('object')
    ? readWhole(text, declaration, { ...IN_PATH, delimiter: ',' })
    : { values: [decoded] };
}

/** `.blue`, `.blue,black` or, exploded, `.blue.black` (RFC 6570 §3.2.5). OpenAPI 3.0 wrote dots for both. */
function readLabel(declaration: Declaration, text: string): Reading {
  if (!text.startsWith('.')) {
    return { fault: 'must begin with a dot' };
  }
  const rest = text.slice(1);
  const withDots = readWhole(rest, declaration, { ...IN_PATH, delimiter: '.' });
  if (declaration.explode) {
    return withDots;
  }
  const withCommas = readWhole(rest, declaration, { ...IN_PATH, delimiter: ',' });
  if ('fault' in withCommas) {
    return withDots;
  }
  return 'fault' in withDots ? withCommas : { values: [...withCommas.values, ...withDots.values] };
}

/** `;color=blue`, `;color=blue,black` or, exploded, `;color=blue;color=black` (RFC 6570 §3.2.7). */
function readMatrix(declaration: Declaration, text: string): Reading {
  const { name, kinds, explode } = declaration;
  const pairs = text.startsWith(';') ? text.slice(1).split(';').map(readMatrixPair) : [];
  const texts = pairs.filter(([key]) => key === name).map(([, value]) => value);
  const isAlone = texts.length === pairs.length && texts.length > 0;
  if (!explode) {
    const [only = ''] = texts;
    return isAlone && texts.length === 1
      ? readWhole(only, declaration, { ...IN_PATH, delimiter: ',' })
      : { fault: `must be written as ;${name}=…, once` };
  }
  const values = isAlone ? readRepeated(texts.map(decodeURIComponent), declaration) : [];
  if (kinds.has('object') && pairs.length > 0) {
    values.push(toMap(pairs.map(([key, value]) => [key, decodeURIComponent(value)])));
  }
  return values.length === 0 ? { fault: `must be written as ;${name}=…` } : { values };
}

function readMatrixPair(pair: string): QueryPair {
  const [name, value] = cutAt(pair, '=');
  return [decodeURIComponent(name), value];
}
