/** Where a JSON patch finds an annotation of an object (RFC 6901: a slash of a name is written `~1`). */
export function annotationPath(name: string): string {
  return `/metadata/annotations/${name.replace('/', '~1')}`;
}
