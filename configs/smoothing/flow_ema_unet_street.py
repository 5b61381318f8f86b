_base_ = './ema_unet_street.py'
# Averages along the motion.
flow = dict(type='DISFlow', preset='fast')
model = dict(smoother=dict(type='FlowSmoother', flow=flow))
