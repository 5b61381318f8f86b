_base_ = './ema_unet_cityscapes.py'
# Averages along the motion.
flow = dict(type='DISFlow', preset='fast')
model = dict(filter=dict(type='FlowEMAFilter', flow=flow))
