import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One condition on a label. */
export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

/** The series that a query asks for. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** What a query names. */
export interface QueryNames {
  readonly selectors: readonly Selector[];
  /** The labels that it groups or joins by. */
  readonly grouping: readonly string[];
}

/**
 * Reads a query with the parser of Prometheus' own editor.
 *
 * @throws when it is no PromQL
 */
export function readQuery(query: string): QueryNames {
  const tree = parser.parse(query);
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const textOf = ({ from, to }: { from: number; to: number }): string => query.slice(from, to);
  tree.iterate({
    enter(node) {
      if (node.type.isError) {
        throw new Error(`no PromQL at character ${node.from}: ${query}`);
      }
      if (node.name === 'VectorSelector') {
        selectors.push({
          metric: childrenOf(node.node, 'Identifier').map(textOf).join(''),
          matchers: childrenOf(node.node, 'LabelMatchers')
            .flatMap((list) => childrenOf(list, 'UnquotedLabelMatcher'))
            .map((matcher) => readMatcher(matcher, textOf)),
        });
      }
      if (node.name === 'GroupingLabels') {
        grouping.push(...childrenOf(node.node, 'LabelName').map(textOf));
      }
    },
  });
  return { selectors, grouping };
}

function childrenOf(node: SyntaxNode, name: string): SyntaxNode[] {
  return node.getChildren(name);
}

function readMatcher(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Matcher {
  const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
    childrenOf(node, name).map(textOf).join(''),
  );
  return { label: label ?? '', operator: operator ?? '', value: JSON.parse(value ?? '""') as string };
}

/** True when a label with this value satisfies a condition. */
export function satisfies({ operator, value }: Matcher, actual: string): boolean {
  const isEqual = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(actual) : value === actual;
  return operator.startsWith('!') !== isEqual;
}
