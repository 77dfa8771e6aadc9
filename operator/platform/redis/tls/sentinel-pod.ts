import type { WantedTls } from './wanted.ts';

const CERTIFICATE_ANNOTATION = 'isp.support/certificate';
/** On a Sentinel's pod: the file of the bundle that was there when it was made. */
export const BUNDLE_ANNOTATION = 'isp.support/certificate-bundle';

/** Of the template of the Sentinels, which read certificates at their start alone: a change of them replaces the pods, one at a time. */
export function certificateAnnotations(wanted: WantedTls | undefined): Record<string, string> {
  if (wanted === undefined) return {};
  return { [CERTIFICATE_ANNOTATION]: wanted.certificate, [BUNDLE_ANNOTATION]: wanted.bundle };
}
