import { parseTemplate, type Segment } from '../contract/routes/path-template.ts';
import { judgeRefusal } from './judge-path.ts';
import type { TriedOperation } from './load-operations.ts';
import { conclude, skip } from './outcome.ts';
import type { GatewayClient } from './send.ts';
import type { Trial } from './trial.ts';

/** The name under which unknown paths are reported. */
const UNKNOWN = 'unknown paths';

/** Tries paths that no operation of the contract has. */
export function planUnknownPaths(operations: readonly TriedOperation[], client: GatewayClient): Trial[] {
  const templates = operations.map(({ path }) => parseTemplate(path));
  const paths = proposePaths(operations).filter((path) => !templates.some((template) => canMatch(template, path)));
  if (paths.length === 0) {
    const named = { subject: UNKNOWN, case: 'a path that no operation has' };
    return [{ ...named, run: () => Promise.resolve([skip(named, 'the contract has every path')]) }];
  }
  return paths.map((path) => {
    const named = { subject: UNKNOWN, case: `GET ${path}` };
    return {
      ...named,
      run: async () => {
        const answer = await client.ask({ method: 'GET', target: `${client.basePath}${path}` });
        return [conclude(named, answer.status, judgeRefusal(answer, path, 'not_found'))];
      },
    };
  });
}

const UNKNOWN_SEGMENT = 'not-in-the-contract';

/** One at the root, one two levels down, and one below an operation. */
function proposePaths(operations: readonly TriedOperation[]): string[] {
  const fixed = operations.find(({ path }) => path !== '/' && !path.endsWith('/') && !path.includes('{'))?.path;
  return [
    `/${UNKNOWN_SEGMENT}`,
    `/${UNKNOWN_SEGMENT}/at-all`,
    ...(fixed === undefined ? [] : [`${fixed}/${UNKNOWN_SEGMENT}`]),
  ];
}

/** A published contract does not say which last parameters take the rest of the path, so any of them may. */
function canMatch(template: readonly Segment[], path: string): boolean {
  const segments = path.slice(1).split('/');
  const last = template.at(-1);
  const takesRest = last?.length === 1 && last.some(isParameter);
  return (
    (takesRest ? segments.length >= template.length : segments.length === template.length) &&
    template.every(
      (pieces, index) => pieces.some(isParameter) || pieces.every((piece) => isLiteral(piece, segments[index])),
    )
  );
}

function isParameter(piece: Segment[number]): boolean {
  return 'parameter' in piece;
}

function isLiteral(piece: Segment[number], text: string | undefined): boolean {
  return 'literal' in piece && piece.literal === text;
}
