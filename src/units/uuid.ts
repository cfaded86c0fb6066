/** UUIDs (RFC 9562), on the uuid package. Pure. */
import { parse, v5 } from 'uuid';

/** The namespace of every UUID that vswitchboard derives from a name. */
const NAMESPACE = parse('8d0a3b0e-5f0c-5c1d-9b1c-7673622d7573');

/** A UUID that is always the same for the same names (version 5: SHA-1 of a namespace and a name). */
export function uuidFromNames(...names: readonly string[]): string {
  return v5(Buffer.from(names.join('/')), NAMESPACE);
}
