import { execFileSync } from 'node:child_process';
import Mocha from 'mocha';
import { NAMESPACE } from './cluster.ts';

const QUESTIONS = [
  ['-n', NAMESPACE, 'get', 'pods', '-o', 'wide'],
  ['-n', NAMESPACE, 'get', 'events', '--field-selector', 'type=Warning', '--sort-by', 'lastTimestamp'],
  ['-n', 'isp-support-system', 'logs', '--all-pods=true', '--tail=20', 'deployment/isp-support-operator'],
];

/** Mocha's, which also prints what the cluster holds at the moment of a failure, for whoever reads of it when the cluster is gone. */
export default class ClusterReporter extends Mocha.reporters.Spec {
  public constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    // While this prints, nothing goes on: neither the hooks that tidy up nor the next test.
    runner.on('fail', () => console.log(QUESTIONS.map(answered).join('\n')));
  }
}

function answered(question: readonly string[]): string {
  return `$ kubectl ${question.join(' ')}\n${ask(question).trimEnd().split('\n').slice(-25).join('\n')}`;
}

function ask(question: readonly string[]): string {
  try {
    return execFileSync('kubectl', question, { encoding: 'utf8', timeout: 30_000 });
  } catch (error) {
    return String(error);
  }
}
