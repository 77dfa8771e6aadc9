const FILE = '/tmp/worker.mjs';

const fetchProgram = [
  `const { renameSync, writeFileSync } = require('node:fs');`,
  'fetch(process.argv[1])',
  '.then((answer) => answer.json())',
  `.then((text) => { writeFileSync('${FILE}.new', text); renameSync('${FILE}.new', '${FILE}'); });`,
].join('\n');

/**
 * The command of a worker that gets its program from another pod, once: /tmp lasts as long as the pod, so that a container which is killed
 * starts again by itself.
 *
 * @param url answers with the program's text in JSON
 */
export function workerCommand(url: string): string[] {
  return ['sh', '-ec', `[ -e ${FILE} ] || node --eval "$1" "$2"; exec node ${FILE}`, 'worker', fetchProgram, url];
}
