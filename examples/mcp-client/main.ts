/**
 * A program that speaks MCP: it connects to a server, signs its user in when that is asked for, and calls a tool.
 *
 * At Entra: an app registration with the platform "Mobile and desktop applications" and the redirect URI
 * http://localhost, which matches any port; the delegated permission Profile.Read of the gateway. No secret.
 *
 *   npm start                                           in another terminal
 *   npx tsx examples/mcp-client/main.ts [list_messages]
 *
 * Adele signs in once. Megan signs in again for her messages (a policy of Graph, behind the server, wants MFA), and for
 * export_mailbox (the contract wants an authentication context).
 */
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { Account } from './account.ts';

const { GATEWAY_URL = 'http://localhost:8080', CLIENT_ID = 'b7c9d1e3-4f5a-4b6c-8d7e-0f1a2b3c4d56' } = process.env;
const name = process.argv[2] ?? 'who_am_i';

/** A real program starts the browser itself, for example with the package `open`. */
function openBrowser(url: string): void {
  console.error(`Sign in at\n${url}`);
}

const account = await Account.open(CLIENT_ID, openBrowser);
let transport: StreamableHTTPClientTransport;

async function connect(): Promise<Client> {
  transport = new StreamableHTTPClientTransport(new URL(`${GATEWAY_URL}/mailbox/mcp`), {
    authProvider: account,
    fetch: account.fetch,
  });
  const client = new Client({ name: 'example', version: '1.0.0' });
  await client.connect(transport);
  return client;
}

/** Once more when the user has signed in, if that is what it takes. */
async function withSignIn<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) {
      throw error;
    }
    await transport.finishAuth(await account.callback);
    return act();
  }
}

try {
  const client = await withSignIn(connect);
  const { content, isError } = await withSignIn(() => client.callTool({ name, arguments: {} }));
  console.log(content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('\n'));
  process.exitCode = isError === true ? 1 : 0;
  await client.close();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  account.close();
}
