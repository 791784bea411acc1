import { OWN_PATHS } from '../contract/own-paths.ts';
import type { Answer } from './answer.ts';
import { judgeContractDocument, judgeMetadata, judgeServerMetadata, type DocumentJudge } from './judge-document.ts';
import { judgeHead } from './judge-head.ts';
import { judgeAllow, judgeRefusal } from './judge-path.ts';
import type { TriedOperation } from './load-operations.ts';
import { conclude, skip, type Finding, type Subject } from './outcome.ts';
import { listPlaces } from './places.ts';
import type { GatewayClient } from './send.ts';
import type { Trial } from './trial.ts';

/** A document of the gateway. */
interface OwnDocument {
  readonly path: string;
  /** Where it can be, in the order in which it is looked for. */
  readonly places: readonly string[];
  readonly judge: DocumentJudge;
  /** Those that it speaks of. */
  readonly operations: readonly TriedOperation[];
}

/** Tries the documents that the gateway publishes itself. */
export function planDocumentTrials(operations: readonly TriedOperation[], client: GatewayClient): Trial[] {
  return listDocuments(operations, client.basePath).flatMap(({ path, places, judge, operations: own }) => {
    let found: Promise<Answer> | undefined;
    const find = (): Promise<Answer> => (found ??= findDocument(places, client));
    return [
      toTrial({ subject: path, case: 'as a document' }, async (named) => {
        const answer = await find();
        return conclude(named, answer.status, judge(answer, own));
      }),
      toTrial({ subject: path, case: 'as HEAD' }, async (named) => tryHead(named, await find(), client)),
      toTrial({ subject: path, case: 'with the method OPTIONS' }, async (named) =>
        tryOptions(named, await find(), client),
      ),
    ];
  });
}

function listDocuments(operations: readonly TriedOperation[], basePath: string): readonly OwnDocument[] {
  const { contract, metadata } = OWN_PATHS;
  const ofServers = operations.filter(({ isOfMcpServer }) => isOfMcpServer);
  return [
    { path: contract, places: listPlaces(basePath, contract), judge: judgeContractDocument, operations },
    { path: metadata, places: listPlaces(basePath, metadata), judge: judgeMetadata, operations },
    ...[...new Set(ofServers.map(({ path }) => path))].map((path) => ({
      path: `${metadata}${path}`,
      places: [`${metadata}${basePath}${path}`],
      judge: judgeServerMetadata,
      operations: ofServers.filter((operation) => operation.path === path),
    })),
  ];
}

function toTrial(named: Subject, run: (named: Subject) => Promise<Finding>): Trial {
  return { ...named, run: async () => [await run(named)] };
}

/** The first of the places that has it, or what is answered at the last. */
async function findDocument([first = '', ...others]: readonly string[], client: GatewayClient): Promise<Answer> {
  let answer = await client.ask({ method: 'GET', target: first });
  for (const target of others) {
    if (answer.status === 200) {
      break;
    }
    answer = await client.ask({ method: 'GET', target });
  }
  return answer;
}

async function tryHead(named: Subject, before: Answer, client: GatewayClient): Promise<Finding> {
  if (before.status !== 200) {
    return skip(named, 'it is not there');
  }
  const head = await client.askHead({ target: before.path });
  const after = await client.ask({ method: 'GET', target: before.path });
  return conclude(named, head.status, judgeHead(head, before, after));
}

async function tryOptions(named: Subject, { status, path }: Answer, client: GatewayClient): Promise<Finding> {
  if (status !== 200) {
    return skip(named, 'it is not there');
  }
  const answer = await client.ask({ method: 'OPTIONS', target: path });
  const refused = judgeRefusal(answer, named.subject, 'method_not_allowed');
  return conclude(named, answer.status, refused.length > 0 ? refused : judgeAllow(answer, ['GET', 'HEAD']));
}
