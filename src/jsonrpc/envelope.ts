/**
 * OVSDB's dialect of JSON-RPC 1.0 on jsonrpc-lite's message classes; the only file that knows the library.
 * The classes are the model of a message, and are built with `new`: the library's factories and its `parseObject` check by
 * the rules of JSON-RPC 2.0, which call OVSDB's errors and notifications invalid, and stringify all params to do so.
 */
import {
  ErrorObject,
  JsonRpcError,
  NotificationObject,
  RequestObject,
  SuccessObject,
  type Defined,
  type ID,
  type JsonRpc,
} from 'jsonrpc-lite';
import { fail } from '../errors.ts';
import type { Frame } from './framing.ts';
import { unmarkIntegers } from './integers.ts';
import { parseAround, parseJson } from './members.ts';

/** A message that came in. `message.error.data` of an error holds OVSDB's own error, an object or a bare string. */
export type Incoming =
  | { readonly kind: 'request'; readonly message: RequestObject }
  | { readonly kind: 'notification'; readonly message: NotificationObject }
  | { readonly kind: 'success'; readonly message: SuccessObject }
  | { readonly kind: 'error'; readonly message: ErrorObject };

/**
 * A frame as a message; integers beyond 2^53 are marked (integers.ts).
 * @param takesMembers whether the result that answers this id may have large objects as {@link Members} (members.ts)
 * @throws JSONRPC_SYNTAX
 */
export function decodeMessage(frame: Frame, takesMembers?: (id: ID) => boolean): Incoming {
  const body = parse(frame, takesMembers);
  const id = idOf(body['id']);
  if (typeof body['method'] === 'string') {
    const params = body['params'];
    if (!Array.isArray(params))
      throw fail('JSONRPC_SYNTAX', { why: `"${body['method']}" comes without a list of params` });
    // OVSDB's notifications carry "id":null, where JSON-RPC 2.0 has no id.
    return id === null
      ? { kind: 'notification', message: new NotificationObject(body['method'], params) }
      : { kind: 'request', message: new RequestObject(id, body['method'], params) };
  }
  const error = body['error'];
  if (error !== undefined && error !== null)
    return { kind: 'error', message: new ErrorObject(id, toJsonRpcError(error)) };
  if (!('result' in body)) throw fail('JSONRPC_SYNTAX', { why: 'a message has no method, result or error' });
  return { kind: 'success', message: new SuccessObject(id, body['result'] as Defined) };
}

/** The text of a request. @throws JSONRPC_UNSENDABLE where a string in it has U+0000 or half a surrogate pair */
export function encodeRequest(id: number, method: string, params: readonly unknown[]): string {
  return encode(new RequestObject(id, method, params), method);
}

/** The text of a notification. @throws JSONRPC_UNSENDABLE */
export function encodeNotification(method: string, params: readonly unknown[]): string {
  return encode(new NotificationObject(method, params), method, { id: null });
}

/** The text of an answer. */
export function encodeAnswer(id: ID, result: readonly unknown[]): string {
  return encode(new SuccessObject(id, result), 'answer', { error: null });
}

/** The text of a refusal: OVSDB's bare string. */
export function encodeRefusal(id: ID, error: string): string {
  const { message } = new ErrorObject(id, new JsonRpcError(error, 0)).error;
  return JSON.stringify({ id, result: null, error: message });
}

function encode(message: JsonRpc, method: string, extra?: Readonly<Record<string, null>>): string {
  // ovsdb-server closes the connection on an unknown member, so "jsonrpc" is left out here.
  const wire = Object.assign({}, message, extra, { jsonrpc: undefined });
  const text = unmarkIntegers(JSON.stringify(wire));
  // One cheap look first, for any \u escape: hardly a text has one.
  if (text.includes('\\u') && UNSENDABLE.test(text))
    throw fail('JSONRPC_UNSENDABLE', { method, why: 'a text in it has U+0000 or half a surrogate pair' });
  return text;
}

/** An escape that OVSDB closes the connection on: JSON.stringify writes only U+0000 and lone surrogates like this. */
const UNSENDABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

function parse(frame: Frame, takesMembers: ((id: ID) => boolean) | undefined): Record<string, unknown> {
  if (takesMembers && frame.largeObjects.length > 0) {
    const around = parseAround(frame);
    if (isBody(around) && takesMembers(idOf(around['id']))) return around;
  }
  const body = parseJson(frame.text, frame.hasLongNumber);
  if (!isBody(body)) throw fail('JSONRPC_SYNTAX', { why: 'a message is no object' });
  return body;
}

function isBody(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idOf(id: unknown): ID {
  if (id === undefined || id === null) return null;
  if (typeof id === 'string' || typeof id === 'number') return id;
  throw fail('JSONRPC_SYNTAX', { why: 'an id is neither text nor number' });
}

/** Both shapes of OVSDB's errors: `{error, details?, syntax?}` and a bare string. It has no codes. */
function toJsonRpcError(error: unknown): JsonRpcError {
  if (typeof error === 'string') return new JsonRpcError(error, 0, error);
  const text =
    typeof error === 'object' && error !== null && 'error' in error && typeof error.error === 'string'
      ? error.error
      : 'unknown error';
  return new JsonRpcError(text, 0, error);
}
