import * as tf from '@tensorflow/tfjs';
import { fit, sgd } from 'shardfit';
const mk=(b)=>{const m = tf.sequential(); m.add(tf.layers.dense({units:20,inputShape:[10],activation:'relu'})); m.add(tf.layers.dense({units:1})); m.compile({optimizer: tf.train.momentum(0.01,0.9), loss:'meanSquaredError'}); if(b) m.setWeights(b.getWeights()); return m};
const x = tf.randomNormal([2000,10]), y = tf.randomNormal([2000,1]);
const base=mk();
for (const rows of [20]) for (const workers of [1,2]) for (const engine of ['onnx','auto','onnx','auto']) {
  const m=mk(base);
  const t=performance.now();
  const h=await fit(m,x,y,{batchSize:rows,epochs:40,workers,shards:workers,engine,shuffle:false});
  console.log(rows,workers,engine,(h.run.seconds/h.run.updates*1e3).toFixed(4),'ms', 'start',((performance.now()-t)/1e3-h.run.seconds).toFixed(3), h.history.loss.at(-1), h.run.threads[0]);
}
