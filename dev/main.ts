import { PortError, readPorts } from './ports.ts';
import { startWorld, type DemoWorld } from './world.ts';

/** Starts the demo world on its fixed ports and tells what to do with it. */
async function main(): Promise<void> {
  // The gateway logs its own start first, so its lines wait until `ready` stands on the first.
  let isReady = false;
  const onLogLine = (line: string): void => {
    if (isReady) {
      process.stdout.write(line);
    }
  };
  const world = await startWorld({ ports: readPorts(process.env), onLogLine });
  await world.playground.prepare().catch(async (error: unknown) => {
    await world.close();
    throw error;
  });
  console.log(describe(world));
  isReady = true;
  const stop = (): void => {
    void world.close();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function describe(world: DemoWorld): string {
  const { gatewayUrl, managementUrl, authorizationServiceUrl, engine, emulator, playground } = world;
  const { graph, orders, mailbox } = world;
  const tokenOf = (query: string): string =>
    `"Authorization: Bearer $(curl -s '${emulator.origin}/_emulator/token?${query}')"`;
  // Entra sends people back to the page by this name and no other, and the metadata of the MCP server has it.
  const publicUrl = `http://localhost:${new URL(gatewayUrl).port}`;
  const order = `'{"customer":"Fabrikam","lines":[{"article":"bolt","quantity":4}]}'`;
  return `ready ${playground.origin}

Open that page, sign in as one of the demo people, call the API and watch each hop. Behind it:

  gateway      ${gatewayUrl}
  contract     ${gatewayUrl}/openapi.json, to try out at ${publicUrl}/docs
  management   ${managementUrl}/readyz, ${managementUrl}/metrics
  engine       ${engine.origin} (carries the same calls itself, and asks the gateway about each)
  MCP          ${publicUrl}/mailbox/mcp (for any program that speaks MCP: docs/mcp.md)
  for engines  ${authorizationServiceUrl}/check/nginx and its kin (docs/engines.md)
  Entra        ${emulator.origin} (emulator; switches at /_emulator/switches)
  Graph        ${graph.origin}
  Orders       ${orders.origin}
  mailbox      ${mailbox.origin}/mcp (an MCP server that asks Graph itself)

Or with curl
  without a token: a challenge
    curl -i ${gatewayUrl}/orders
  as Adele: her profile, by an exchange on her behalf
    curl -i ${gatewayUrl}/me -H ${tokenOf('user=adele')}
  as Megan: a policy wants MFA first, so the answer is a claims challenge; with MFA it is her profile
    curl -i ${gatewayUrl}/me -H ${tokenOf('user=megan')}
    curl -i ${gatewayUrl}/me -H ${tokenOf('user=megan&mfa=1')}
  as a daemon, by its app role
    curl -i ${gatewayUrl}/orders -H ${tokenOf('app=daemon')}
  place an order
    curl -i ${gatewayUrl}/orders -H ${tokenOf('user=adele')} -H 'Content-Type: application/json' -d ${order}
  through the engine: the same challenge as from the gateway
    curl -i ${engine.origin}/me -H ${tokenOf('user=megan')}
  Entra is throttled (and well again with "up")
    curl -X PUT ${emulator.origin}/_emulator/switches -H 'Content-Type: application/json' -d '{"entra":"throttled"}'

The whole story with a real MSAL client: npm run tour
Ctrl-C stops everything.`;
}

main().catch((error: unknown) => {
  console.error(error instanceof PortError ? error.message : error);
  process.exitCode = 1;
});
