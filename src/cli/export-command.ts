import { Command, Option } from 'commander';

/** Options of `shardfit export`, read and checked. */
export interface ExportOptions {
  model: string;
  out: string;
}

const WHAT = `The exported model takes what the network takes: normalized numbers. The means and scales stand in the saved model's normalizer file.`;

/** `shardfit export` with its options. */
export function exportCommand(action: (options: ExportOptions) => Promise<void>): Command {
  return new Command('export')
    .description('Write a saved model as an ONNX file, for any number of rows.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${WHAT}`)
    .addOption(
      new Option('--model <folder>', 'what shardfit train --save, saveModel or tfjs wrote').makeOptionMandatory(),
    )
    .addOption(new Option('--out <file>', 'the ONNX file, such as model.onnx').makeOptionMandatory())
    .action((options: ExportOptions) => action(options));
}
