/** Documents as JSON or YAML text. Pure. */
import { dump } from 'js-yaml';

/** `json` is indented by two; both end with a newline. */
export function renderDocument(document: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  // Members that are not set are left out, as JSON leaves them out.
  return dump(JSON.parse(JSON.stringify(document)), { lineWidth: 110, noRefs: true });
}
