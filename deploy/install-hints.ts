import { readFileSync } from 'node:fs';

/** Families of systems that install programs by the same command. */
export type System = 'debian' | 'fedora' | 'alpine' | 'macos' | 'other';

/** Names of packages by system; where there is none the text stands for itself. */
const packages = {
  python: { debian: 'python3-pip', fedora: 'python3-pip', alpine: 'py3-pip', macos: 'python' },
  compiler: { debian: 'g++', fedora: 'gcc-c++', alpine: 'g++', macos: 'gcc' },
  npm: { debian: 'npm', fedora: 'nodejs-npm', alpine: 'npm', macos: 'node' },
  java: {
    debian: 'openjdk-17-jre-headless',
    fedora: 'java-21-openjdk-headless',
    alpine: 'openjdk17-jre-headless',
    macos: 'openjdk@17',
  },
  maven: { debian: 'maven', fedora: 'maven', alpine: 'maven', macos: 'maven' },
} as const;
export type InstallableTool = keyof typeof packages;

const installers = {
  debian: 'sudo apt-get install -y',
  fedora: 'sudo dnf install -y',
  alpine: 'sudo apk add',
  macos: 'brew install',
} as const;

const names: Record<InstallableTool, string> = {
  python: 'Python 3 with pip',
  compiler: 'a C++ compiler (g++)',
  npm: 'npm',
  java: 'Java 17 or newer',
  maven: 'Apache Maven',
};

/** The command that installs these tools here, or what to install where no command is known. */
export function installCommand(tools: readonly InstallableTool[], system: System): string {
  if (system === 'other') return `install ${tools.map((tool) => names[tool]).join(' and ')}`;
  return `${installers[system]} ${tools.map((tool) => packages[tool][system]).join(' ')}`;
}

/** The system this process runs on. */
export function currentSystem(): System {
  if (process.platform === 'darwin') return 'macos';
  try {
    return systemOf(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return 'other';
  }
}

/** The system that an os-release file describes, by its ID or what it says it is like. */
export function systemOf(osRelease: string): System {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) =>
    match[1].split(' '),
  );
  if (ids.some((id) => id === 'debian' || id === 'ubuntu')) return 'debian';
  if (ids.some((id) => id === 'fedora' || id === 'rhel' || id === 'centos')) return 'fedora';
  if (ids.includes('alpine')) return 'alpine';
  return 'other';
}
