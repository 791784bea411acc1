import { readExtensions, type Extension, type Extensions } from './extensions.ts';
import { parseTemplate } from '../routes/path-template.ts';
import type { Located } from '../openapi/references.ts';

/** Who is told of what is wrong with an operation, and of what is not taken for ours. */
export interface MultiSegmentListeners {
  readonly fault: (message: string) => void;
  readonly notice: (message: string, remedy: string) => void;
}

/**
 * The name of the path parameter that takes the rest of the path, if there is one: a parameter says so itself, or the
 * operation says it of its last one. `x-multi-segment` is also an extension of others, who let parameters take several
 * segments in the middle of a path; there it is theirs.
 *
 * @param own the extensions of the operation
 */
export function readMultiSegment(
  path: string,
  own: Extensions,
  declared: readonly Located[],
  listeners: MultiSegmentListeners,
): string | undefined {
  const last = lastWholeParameter(path);
  const said = declared.flatMap(({ value }) => {
    const { multiSegment } = readExtensions(value, 'a parameter', listeners.fault);
    const isLast = value['in'] === 'path' && value['name'] === last;
    return multiSegment === undefined ? [] : [{ extension: multiSegment, name: String(value['name']), isLast }];
  });
  if (own.multiSegment !== undefined) {
    said.push({ extension: own.multiSegment, name: last ?? 'at the end', isLast: last !== undefined });
  }
  const taken = said.filter((one) => isSet(one.extension, listeners) && canTakeRest(one, listeners));
  return taken[0]?.name;
}

/** An extension, the parameter of which it speaks, and whether that is the whole last segment of the path. */
interface Said {
  readonly extension: Extension;
  readonly name: string;
  readonly isLast: boolean;
}

function isSet({ value, written }: Extension, { fault }: MultiSegmentListeners): boolean {
  if (typeof value !== 'boolean') {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: true or false`);
  }
  return value === true;
}

function canTakeRest(
  { extension: { written }, name, isLast }: Said,
  { fault, notice }: MultiSegmentListeners,
): boolean {
  const message = `has ${written} on the parameter ${name}, which is not the whole last segment of the path`;
  if (!isLast && written.startsWith('x-gateway')) {
    fault(message);
  } else if (!isLast) {
    notice(
      `${message}: it is taken for the extension of another tool`,
      'Nothing is to be done if the parameter takes one segment; only the last segment can take more.',
    );
  }
  return isLast;
}

/** The parameter that is the whole last segment of a path. */
function lastWholeParameter(path: string): string | undefined {
  const [piece, ...others] = parseTemplate(path).at(-1) ?? [];
  return piece !== undefined && 'parameter' in piece && others.length === 0 ? piece.parameter : undefined;
}
