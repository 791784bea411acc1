import { z } from 'zod';
import { clientId, rateLimit } from './values.ts';

const AUTHORIZATION_SERVER = "'entra' or 'facade'";

/** `mcp`: where clients of MCP servers get their tokens. */
export const mcp = z
  .strictObject({
    authorizationServer: z
      .enum(['entra', 'facade'], { error: AUTHORIZATION_SERVER })
      .default('entra')
      .describe('What the metadata of the MCP servers name: Entra itself, or a façade in front of it.'),
    register: z
      .boolean({ error: 'true or false' })
      .default(false)
      .describe('Whether clients without a client id get that of mcp.clientId, which they all share.'),
    clientId: clientId.optional().describe('The client id for clients that register.'),
    rateLimit,
  })
  .describe('How clients of the MCP servers of the contract (x-mcp-server) get their tokens.');
