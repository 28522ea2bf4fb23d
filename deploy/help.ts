import { Help, type Command, type HelpConfiguration } from 'commander';

/** Longest flag whose description stands beside it; that of a longer one begins on the next line. */
const maxTermWidth = 26;
const minDescriptionWidth = 40;

/** How help looks: flags on the left, descriptions wrapped beside them. `width`: characters of a line. */
export function helpLayout(width: number): HelpConfiguration {
  return {
    helpWidth: width,
    subcommandTerm: (command: Command) => command.name(),
    padWidth: (command: Command, help: Help) => Math.min(new Help().padWidth(command, help), maxTermWidth),
    formatItem: (term: string, termWidth: number, description: string, help: Help) => {
      const indent = ' '.repeat(termWidth + 4);
      const lines = help.boxWrap(description, Math.max(width - indent.length, minDescriptionWidth));
      const text = lines.replaceAll('\n', `\n${indent}`);
      const beside = term.length <= termWidth;
      return `  ${beside ? term.padEnd(termWidth + 2) : `${term}\n${indent}`}${text}`.trimEnd();
    },
  };
}

/** Paragraphs without line breaks of their own, for help to wrap; lines that are indented stay as they are. */
export function paragraphs(text: string): string {
  return text.replace(/([^\n])\n(?=[^\s])/g, '$1 ');
}
