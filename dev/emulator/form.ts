import express, { type Request, type RequestHandler } from 'express';

/** Reads form bodies as text, for {@link readForm}. */
export function receiveForms(): RequestHandler {
  return express.text({ type: 'application/x-www-form-urlencoded', limit: '1mb' });
}

/** The form of a request; empty when its body is of another type. */
export function readForm(req: Request<object>): URLSearchParams {
  return new URLSearchParams(typeof req.body === 'string' ? req.body : '');
}

/** The id that the sender of a request gave it, `client-request-id` of its headers, form or query. */
export function readCorrelationId(req: Request<object>): string | undefined {
  const sent = req.get('client-request-id') ?? readForm(req).get('client-request-id') ?? req.query['client-request-id'];
  return typeof sent === 'string' ? sent : undefined;
}
