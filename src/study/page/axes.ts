import type { EChartsOption, XAXisComponentOption, YAXisComponentOption } from 'echarts';
import { colour } from './palette.js';

/** What all charts have in common: fonts, and no movement. */
export function base(): EChartsOption {
  return {
    animation: false,
    aria: { enabled: true },
    textStyle: { fontFamily: "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif", color: colour('ink') },
    tooltip: {
      confine: true,
      backgroundColor: colour('page'),
      borderColor: colour('grid'),
      textStyle: { color: colour('ink'), fontSize: 12 },
    },
  };
}

/** Room around the plot for the names of the axes. */
export const MARGINS = { left: 58, right: 20, top: 16, bottom: 48 };

const look = () => ({
  nameLocation: 'middle' as const,
  nameTextStyle: { color: colour('muted'), fontSize: 12 },
  axisLabel: { color: colour('muted'), fontSize: 12, hideOverlap: true },
  axisLine: { show: true, lineStyle: { color: colour('muted') } },
  axisTick: { lineStyle: { color: colour('muted') } },
  splitLine: { lineStyle: { color: colour('grid') } },
});

/** The axis below a chart. */
export function xAxis(name: string, axis: XAXisComponentOption): XAXisComponentOption {
  return { ...look(), name, nameGap: 30, ...axis } as XAXisComponentOption;
}

/** The axis to the left of a chart. */
export function yAxis(name: string, axis: YAXisComponentOption): YAXisComponentOption {
  return { ...look(), name, nameGap: 42, ...axis } as YAXisComponentOption;
}

/** Ends of a logarithmic axis around values: whole powers of 2, so that both ends are labelled by short numbers. */
export function logarithmicEnds(values: number[]): { min: number; max: number } {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log2);
  if (logs.length === 0) return { min: 1, max: 2 };
  const low = Math.floor(Math.min(...logs));
  return { min: 2 ** low, max: 2 ** Math.max(low + 1, Math.ceil(Math.max(...logs))) };
}
