/** Copies a tensor of four axes from strides to strides: transposes, repeats, joins and cuts. */
export function stridedCopy(
  out: usize,
  x: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let l = 0; l < n2; l++) {
        let from = x + <usize>i * x0 + <usize>j * x1 + <usize>l * x2;
        let to = out + <usize>i * o0 + <usize>j * o1 + <usize>l * o2;
        for (let m = 0; m < n3; m++) {
          store<f32>(to, load<f32>(from));
          from += x3;
          to += o3;
        }
      }
    }
  }
}
