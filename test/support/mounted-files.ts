import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A volume as a kubelet makes it of Secrets and ConfigMaps: all of its files change at once, by one link. */
export class MountedFiles {
  readonly directory: string;
  #content = '';
  #versions = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  async bring(files: Readonly<Record<string, string>>): Promise<void> {
    const content = JSON.stringify(files);
    if (content === this.#content) return;
    this.#content = content;
    const version = `..${this.#versions++}`;
    await mkdir(join(this.directory, version), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.directory, version, name), text);
    await symlink(version, join(this.directory, '..next'));
    await rename(join(this.directory, '..next'), join(this.directory, '..data'));
    const there = (await readdir(this.directory)).filter((name) => !name.startsWith('..'));
    for (const name of Object.keys(files))
      if (!there.includes(name)) await symlink(join('..data', name), join(this.directory, name));
    for (const name of there) if (!(name in files)) await rm(join(this.directory, name));
  }
}
