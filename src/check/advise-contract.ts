import type { GatewayConfig } from '../config/load-config.ts';
import type { ServedDocument } from '../contract/contract.ts';
import { pass, warn, type Row } from './row.ts';

/** What the documents of the contract say that the gateway does otherwise, or does not do. */
export function adviseContract({ contract, downstreams }: Pick<GatewayConfig, 'contract' | 'downstreams'>): Row[] {
  const rows = [
    ...contract.notices.map(({ at, message, remedy }) =>
      warn('contract', `${at}: ${message}`, { reason: 'the gateway does not do what the document says', remedy }),
    ),
    ...contract.documents.flatMap((document) => adviseServers(document, downstreams)),
  ];
  return rows.length > 0 ? rows : [pass('contract', `operations served: ${contract.operations.length}`)];
}

/** `servers` never says where the calls go, so it should not say something else. */
function adviseServers(
  { source: { at }, serversPath, pathPrefixes }: ServedDocument,
  downstreams: GatewayConfig['downstreams'],
): Row[] {
  return [...pathPrefixes].flatMap(([service, prefixes]) => {
    const { baseUrl } = downstreams[service] ?? {};
    if (baseUrl === undefined) {
      return [];
    }
    const paths = [...prefixes].map((prefix) => `${pathOf(baseUrl)}${prefix}`);
    return serversPath === undefined || paths.includes(serversPath)
      ? []
      : [
          warn('contract', `${at}: its servers have the path ${serversPath || '/'}`, {
            reason: `its operations go to ${paths.map((path) => `${path}/`).join(' and ')} of the downstream ${service}`,
            remedy: 'nothing is to be done if the API is there; else correct baseUrl, or pathPrefix in x-downstream',
            key: `downstreams.${service}.baseUrl`,
          }),
        ];
  });
}

function pathOf(baseUrl: string): string {
  return new URL(baseUrl).pathname.replace(/\/$/, '');
}
