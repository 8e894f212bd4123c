import type { CustomSeriesOption, EChartsOption, LineSeriesOption } from 'echarts';
import { base, MARGINS, xAxis, yAxis } from '../../study/page/axes.js';
import { rounded } from '../../study/page/numbers.js';
import { type ColourName, colour } from '../../study/page/palette.js';
import type { Scaling } from '../scaling-plan.js';
import { type PointResult, pointsOf, type WorkloadResult } from '../scaling-results.js';

/** Pixels that a chart is laid out for. */
export const WIDTH = 560;
export const HEIGHT = 420;

const COLOURS: Record<Scaling, ColourName> = { strong: 'sync', weak: 'per-shard' };
const NAMES: Record<Scaling, string> = { strong: 'strong, same mini-batch', weak: 'weak, same rows a worker' };

/** Speed-up against workers: measured with its quartiles, predicted in dashes, and the ideal. */
export function speedupChart(result: WorkloadResult): EChartsOption {
  const scalings = (['strong', 'weak'] as const).filter((scaling) => pointsOf(result, scaling).length > 1);
  const counts = [...new Set(result.points.map(({ workers }) => workers))].sort((a, b) => a - b);
  const ideal: LineSeriesOption = {
    ...{ type: 'line', name: 'ideal', data: counts.map((count) => [count, count]), showSymbol: false },
    ...{ color: colour('muted'), lineStyle: { width: 1, type: [2, 3] } },
  };
  const series = scalings.flatMap((scaling) => seriesOf(scaling, pointsOf(result, scaling)));
  return {
    ...base(),
    title: {
      ...{ text: result.name, left: 'center', top: 4 },
      // The name of a model file may be longer than the chart is wide.
      textStyle: { color: colour('ink'), fontSize: 14, width: WIDTH - 40, overflow: 'truncate' },
    },
    legend: {
      ...{ bottom: 4, textStyle: { color: colour('ink'), fontSize: 11 }, itemWidth: 30 },
      data: [...series, ideal].flatMap(({ type, name }) => (type === 'line' ? [name as string] : [])),
    },
    grid: { ...MARGINS, top: 36, bottom: 96 },
    xAxis: xAxis('workers', { type: 'value', min: 1, max: Math.max(2, ...counts), minInterval: 1 }),
    yAxis: yAxis('speed-up', { type: 'value', min: 0 }),
    series: [...series, ideal],
  };
}

function seriesOf(scaling: Scaling, points: PointResult[]): (LineSeriesOption | CustomSeriesOption)[] {
  const shade = colour(COLOURS[scaling]);
  const name = NAMES[scaling];
  const data = (value: (point: PointResult) => number) =>
    points.map((point) => [point.workers, rounded(value(point))] as [number, number]);
  return [
    { type: 'line', name, data: data(({ speedup }) => speedup), color: shade, symbol: 'circle', symbolSize: 7 },
    {
      ...{ type: 'line', name: `predicted, ${scaling}`, data: data(({ predictedSpeedup }) => predictedSpeedup) },
      ...{ color: shade, showSymbol: false, lineStyle: { width: 2, type: [7, 4] } },
    },
    quartiles(points, shade),
  ];
}

/** A vertical line from quartile to quartile. */
function quartiles(points: PointResult[], shade: string): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    color: shade,
    data: points.map(({ workers, speedupRange: [low, high] }) => [workers, low, high]),
    encode: { x: 0, y: [1, 2] },
    renderItem: (_, api) => {
      const [x1, y1] = api.coord([api.value(0), api.value(1)]) as [number, number];
      const [x2, y2] = api.coord([api.value(0), api.value(2)]) as [number, number];
      return {
        type: 'line',
        shape: { x1, y1, x2, y2 },
        style: { stroke: api.visual('color'), lineWidth: 5, opacity: 0.35 },
      };
    },
  };
}
