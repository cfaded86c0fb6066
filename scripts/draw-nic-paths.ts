/** `npx tsx scripts/draw-nic-paths.ts`: writes the pictures of docs/nic-paths.md. */
import { writeFileSync } from 'node:fs';
import { nicPathPictures } from '../test/support/nicpathpictures.ts';

for (const [name, svg] of nicPathPictures()) writeFileSync(`docs/images/${name}`, svg);
