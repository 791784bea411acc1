import { z } from 'zod';
import { isFixed } from '../../forward/request-headers.ts';
import { isProxyAddress } from '../../network/proxy-address.ts';
import { CHALLENGE_SAFE } from '../../syntax/http-syntax.ts';
import { guid, HEADER_NAME, headSize, text, timeLimit, webAddress } from './values.ts';

const HEADER_VALUE_ALLOWED = 'the value of a header: text of one line, without spaces around it';
const HEADER_VALUE = /^(?!\s)[^\p{Cc}]*(?<!\s)$/u;
const NOT_FIXED =
  'not Authorization, Cookie, Host, Expect, Content-Length, Proxy-* or what belongs to one connection (RFC 9110 §7.6.1)';

const HOST_NAME = /^[\w.-]*$/;

const PROXY = "the address of a proxy, such as http://user:password@proxy.contoso.com:3128, or 'none'";

const AGENT = 'the client id of an agent identity (a GUID)';

/** A row of `downstreams`: an API behind the gateway, and how it is called. */
export const downstream = z.strictObject({
  baseUrl: webAddress('the http or https address of the API', () => true)
    .optional()
    .describe('Where the API is. Not needed with authorizationService where only engines call it.'),
  scopes: z
    .array(
      text('a scope').refine((scope) => CHALLENGE_SAFE.test(scope), {
        error: 'a scope without spaces, commas, quotes, = and %',
      }),
      { error: 'a list of scopes' },
    )
    .min(1, { error: 'at least one scope' })
    .describe("What the exchanged token is for: fixed, of one resource; a bare name belongs to the cloud's own Graph."),
  agent: guid(AGENT, AGENT)
    .optional()
    .describe('The agent identity that gets the tokens; the gateway is then its blueprint.'),
  timeout: z
    .strictObject({
      connect: timeLimit('2s').describe('To reach the API.'),
      response: timeLimit('30s').describe("From the request's end to the answer's headers."),
      idle: timeLimit('60s').describe('Between two pieces of a body, either way.'),
    })
    .prefault({}),
  headers: z
    .strictObject({
      set: z
        .record(
          z
            .string()
            .regex(HEADER_NAME, { error: 'the name of a header' })
            .refine((name) => !isFixed(name), { error: NOT_FIXED }),
          text(HEADER_VALUE_ALLOWED).regex(HEADER_VALUE, { error: HEADER_VALUE_ALLOWED }),
          { error: 'a map of header names and values' },
        )
        .refine(
          (headers) =>
            new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
          {
            error: 'each header once, in whatever case',
          },
        )
        .default({})
        .describe('Fixed headers of every call.'),
      pass: z
        .array(
          text('a header name')
            .regex(HEADER_NAME, { error: 'a header name' })
            .refine((name) => !isFixed(name), { error: NOT_FIXED }),
          { error: 'a list of header names' },
        )
        .default([])
        .describe('Headers of callers that pass although they usually do not.'),
    })
    .prefault({}),
  query: z
    .record(text('the name of a parameter'), text('the value of a parameter'), {
      error: 'a map of parameter names and values',
    })
    .default({})
    .describe('Fixed parameters of every call.'),
  tls: z
    .strictObject({
      ca: text('the path of a PEM file').optional().describe('The authorities that may vouch for the API.'),
      cert: text('the path of a PEM certificate').optional().describe("The gateway's own certificate."),
      key: text('the path of the PEM private key of the certificate').optional(),
      serverName: text('a host name')
        .refine((value) => HOST_NAME.test(value), { error: 'a host name' })
        .optional()
        .describe('The name that the certificate of the API must have.'),
    })
    .optional(),
  connections: z
    .strictObject({
      maxAge: timeLimit('60s').describe('How long a connection is used, so that a changed DNS name is followed.'),
    })
    .prefault({}),
  headLimit: headSize('64kb').describe("The largest head of the API's answers."),
  proxy: z
    .string({ error: PROXY })
    .refine((value) => value === 'none' || isProxyAddress(value), { error: PROXY })
    .optional()
    .describe('Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.'),
});
