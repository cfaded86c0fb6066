/** `npx tsx scripts/generate-errors-doc.ts`: writes docs/errors.md from the registry in src/errors.ts. */
import { writeFileSync } from 'node:fs';
import { renderErrorsDoc } from '../test/support/errorsdoc.ts';

writeFileSync('docs/errors.md', renderErrorsDoc());
