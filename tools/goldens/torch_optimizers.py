"""First 20 steps of PyTorch's optimizers and schedulers. Usage: python torch_optimizers.py FOLDER

Parameters and the gradient of step t come from formula.py (streams 1, 2 and 100 + 2t, 101 + 2t), so that only results are stored.
"""

import sys
import warnings

import torch
from torch.optim import lr_scheduler as sched

from formula import hash_uniform, number, numbers, write

warnings.filterwarnings("ignore")
STEPS = 20
SHAPES = [(2, 3), (2,)]


def parameters():
    return [torch.nn.Parameter(torch.from_numpy(hash_uniform(1 + i, shape))) for i, shape in enumerate(SHAPES)]


def gradients(step):
    return [torch.from_numpy(hash_uniform(100 + 2 * step + i, shape)) for i, shape in enumerate(SHAPES)]


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", dict(lr=0.1, weight_decay=0.05)),
    ("SGD", dict(lr=0.1, momentum=0.9)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.8, maximize=True)),
    ("Adam", {}),
    ("Adam", dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3)),
    ("Adam", dict(lr=0.05, amsgrad=True, weight_decay=0.1)),
    ("Adam", dict(lr=0.05, maximize=True)),
    ("Adam", dict(lr=0.05, betas=(0.0, 0.9))),
    ("AdamW", {}),
    ("AdamW", dict(lr=0.05, weight_decay=0.3, amsgrad=True)),
    ("RMSprop", {}),
    ("RMSprop", dict(lr=0.02, alpha=0.9, eps=1e-2, weight_decay=0.1)),
    ("RMSprop", dict(lr=0.02, momentum=0.9)),
    ("RMSprop", dict(lr=0.02, momentum=0.5, centered=True, maximize=True)),
    ("Adagrad", {}),
    ("Adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5, eps=1e-3)),
    ("Adadelta", {}),
    ("Adadelta", dict(lr=0.5, rho=0.7, eps=1e-3, weight_decay=0.1, maximize=True)),
    ("NAdam", {}),
    ("NAdam", dict(lr=0.02, betas=(0.8, 0.95), momentum_decay=0.1, weight_decay=0.1)),
    ("NAdam", dict(lr=0.02, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
]


def state_of(optimizer):
    state = optimizer.state_dict()["state"]
    return {
        str(i): {
            name: number(value) if value.dim() == 0 else numbers(value)
            for name, value in entries.items()
            if value is not None
        }
        for i, entries in state.items()
    }


def run_optimizer(name, options, skip=lambda step, index: False):
    params = parameters()
    optimizer = getattr(torch.optim, name)(params, **options)
    steps = []
    for step in range(STEPS):
        for index, (parameter, gradient) in enumerate(zip(params, gradients(step))):
            parameter.grad = None if skip(step, index) else gradient
        optimizer.step()
        steps.append([v for p in params for v in numbers(p.detach().numpy())])
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}
    return {"name": name, "options": options, "steps": steps, "state": state_of(optimizer)}


SCHEDULERS = {
    "LambdaLR": lambda o: sched.LambdaLR(o, lambda epoch: 0.95**epoch),
    "LambdaLR two": lambda o: sched.LambdaLR(o, [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch * 0.5]),
    "MultiplicativeLR": lambda o: sched.MultiplicativeLR(o, lambda epoch: 1 - epoch * 0.01),
    "StepLR": lambda o: sched.StepLR(o, step_size=3, gamma=0.7),
    "MultiStepLR": lambda o: sched.MultiStepLR(o, milestones=[2, 5, 5, 11], gamma=0.5),
    "ConstantLR": lambda o: sched.ConstantLR(o, factor=0.25, total_iters=4),
    "LinearLR": lambda o: sched.LinearLR(o, start_factor=0.1, end_factor=0.8, total_iters=7),
    "ExponentialLR": lambda o: sched.ExponentialLR(o, gamma=0.8),
    "PolynomialLR": lambda o: sched.PolynomialLR(o, total_iters=9, power=2.0),
    "CosineAnnealingLR": lambda o: sched.CosineAnnealingLR(o, T_max=6, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda o: sched.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001),
    "CosineAnnealingWarmRestarts 1": lambda o: sched.CosineAnnealingWarmRestarts(o, T_0=4),
    "OneCycleLR": lambda o: sched.OneCycleLR(o, max_lr=0.5, total_steps=21),
    "OneCycleLR linear": lambda o: sched.OneCycleLR(
        o, max_lr=[0.5, 0.2], epochs=3, steps_per_epoch=8, pct_start=0.4, anneal_strategy="linear", three_phase=True,
        base_momentum=0.7, max_momentum=0.9, div_factor=10.0, final_div_factor=100.0,
    ),
    "SequentialLR": lambda o: sched.SequentialLR(
        o,
        schedulers=[
            sched.LinearLR(o, start_factor=0.1, total_iters=5),
            sched.CosineAnnealingLR(o, T_max=10),
        ],
        milestones=[5],
    ),
    "SequentialLR three": lambda o: sched.SequentialLR(
        o,
        schedulers=[
            sched.ConstantLR(o, factor=0.1, total_iters=2),
            sched.ExponentialLR(o, gamma=0.9),
            sched.StepLR(o, step_size=2, gamma=0.5),
        ],
        milestones=[2, 9],
    ),
    "ChainedScheduler": lambda o: sched.ChainedScheduler(
        [sched.ConstantLR(o, factor=0.1, total_iters=3), sched.ExponentialLR(o, gamma=0.9)], optimizer=o
    ),
}
METRICS = [1.0, 0.9, 0.95, 0.9, 0.91, 0.89995, 0.9, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.75, 0.72, 0.71, 0.69, 0.7, 0.7]
PLATEAUS = [
    dict(patience=2),
    dict(patience=1, factor=0.5, cooldown=2, min_lr=0.02),
    dict(mode="max", patience=1, threshold=0.01, threshold_mode="abs", factor=0.3),
    dict(patience=0, threshold_mode="abs", min_lr=[0.01, 0.1], eps=1e-3),
]


def momenta(optimizer):
    return [g["momentum"] if "momentum" in g else g["betas"][0] for g in optimizer.param_groups]


def run_scheduler(make, adam):
    params = parameters()
    groups = [dict(params=[params[0]]), dict(params=[params[1]], lr=0.3)]
    optimizer = torch.optim.Adam(groups, lr=0.1) if adam else torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    scheduler = make(optimizer)
    rates = [[number(v) for v in scheduler.get_last_lr()]]
    momentum = [[number(v) for v in momenta(optimizer)]]
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
        rates.append([number(v) for v in scheduler.get_last_lr()])
        momentum.append([number(v) for v in momenta(optimizer)])
    return {"rates": rates, "momentum": momentum}


def run_plateau(options):
    params = parameters()
    optimizer = torch.optim.SGD([dict(params=[params[0]]), dict(params=[params[1]], lr=0.3)], lr=0.1)
    scheduler = sched.ReduceLROnPlateau(optimizer, **options)
    rates = []
    for metric in METRICS:
        scheduler.step(metric)
        rates.append([number(v) for v in scheduler.get_last_lr()])
    return {"options": options, "rates": rates}


def main(folder):
    write(
        f"{folder}/torch-optimizers.json",
        {
            "versions": {"torch": torch.__version__},
            "optimizers": [run_optimizer(name, options) for name, options in OPTIMIZERS],
            # the second parameter has no gradient at every third step: its step count falls behind
            "skipping": [
                run_optimizer(name, options, lambda step, index: index == 1 and step % 3 == 1)
                for name, options in [("Adam", dict(lr=0.05)), ("NAdam", dict(lr=0.05)), ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.5))]
            ],
        },
    )
    write(
        f"{folder}/torch-schedulers.json",
        {
            "versions": {"torch": torch.__version__},
            "schedulers": {name: run_scheduler(make, False) for name, make in SCHEDULERS.items()},
            "adam": {name: run_scheduler(make, True) for name, make in SCHEDULERS.items() if name.startswith("OneCycle")},
            "metrics": METRICS,
            "plateaus": [run_plateau(options) for options in PLATEAUS],
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
