"""The textbook's loop, by hand: what a trainer's updates have to equal. Tests override what their field changes."""

import torch
from torch.nn import functional as F

from gansearch.gan.data import data_of


class Reference:
    """One D update, one G update, and so on (Goodfellow et al. 2014, algorithm 1), with a trainer's random numbers."""

    rate = 2e-4

    def __init__(self, task, seed=0, batch=16):
        self.task, self.batch, self.d_updates = task, batch, 0
        self.draws = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self.g, self.d = task.generator(), task.discriminator()
        self.optimizer_d, self.optimizer_g = (self.optimizer(network.parameters()) for network in (self.d, self.g))
        self.data = data_of(task, torch.device("cpu")).real

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, self.rate, betas=(0.5, 0.999))

    def real(self):
        return self.data[torch.randint(len(self.data), (self.batch,), generator=self.draws)]

    def fake(self):
        return self.g(torch.randn(self.batch, self.task.latent_dim, generator=self.draws))

    def d_loss(self, real, fake):
        return F.softplus(-self.d(real)).mean() + F.softplus(self.d(fake)).mean()

    def g_loss(self, scores):
        return F.softplus(-scores).mean()

    def before_step(self, network):
        """Changes a network's gradient."""

    def after_d(self):
        """Changes D."""

    def update_d(self):
        self.optimizer_d.zero_grad()
        loss = self.d_loss(self.real(), self.fake().detach())
        loss.backward()
        self.before_step(self.d)
        self.optimizer_d.step()
        self.after_d()
        self.d_updates += 1
        return loss.item()

    def update_g(self):
        self.optimizer_g.zero_grad()
        loss = self.g_loss(self.d(self.fake()))
        loss.backward()
        self.before_step(self.g)
        self.optimizer_g.step()
        return loss.item()

    def losses(self, updates):
        return [self.update_g() if i % 2 else self.update_d() for i in range(updates)]
