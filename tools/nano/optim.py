"""Muon for the hidden matrices (orthogonalised momentum, batched by shape)."""

import torch


def orthogonalize(matrices, steps=5):
    """Newton-Schulz iteration: a batch of matrices towards their nearest semi-orthogonal ones."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    x = x.bfloat16()
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.transpose(1, 2) if tall else x).float()


class Muon:
    """SGD with Nesterov momentum whose update is orthogonalised; fused qkv matrices are split in three."""

    def __init__(self, named, momentum=0.95, decay=0.01):
        self.momentum, self.decay = momentum, decay
        self.groups = {}
        for name, parameter in named:
            parts = 3 if name.endswith("qkv.weight") else 1
            rows, columns = parameter.shape
            self.groups.setdefault((rows // parts, columns), []).append((parameter, parts))
        self.buffers = {
            shape: torch.zeros(sum(parts for _, parts in items), *shape) for shape, items in self.groups.items()
        }

    @torch.no_grad()
    def step(self, rate):
        for shape, items in self.groups.items():
            grads = torch.cat([p.grad.view(parts, *shape) for p, parts in items])
            buffer = self.buffers[shape]
            buffer.lerp_(grads, 1 - self.momentum)
            update = orthogonalize(grads.lerp(buffer, self.momentum))
            update.mul_(-rate * max(1.0, shape[0] / shape[1]) ** 0.5)
            at = 0
            for parameter, parts in items:
                parameter.mul_(1 - rate * self.decay).add_(update[at : at + parts].view_as(parameter))
                at += parts

    def state_dict(self):
        return {str(k): v for k, v in self.buffers.items()}

    def load_state_dict(self, state):
        for key, buffer in self.buffers.items():
            buffer.copy_(state[str(key)])
